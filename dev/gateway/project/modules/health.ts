export async function health() {
  return { ok: true };
}
