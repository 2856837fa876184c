/** Numbers by name, such as counters: plain data that can be stored, sent between Durable Objects and summed. */

export type Numbers = Readonly<Record<string, number>>;

/** Sums the numbers of several parts by name. */
export function sumNumbers(parts: readonly Numbers[]): Numbers {
  const total: Record<string, number> = {};
  for (const part of parts) {
    for (const [name, value] of Object.entries(part)) total[name] = (total[name] ?? 0) + value;
  }
  return total;
}
