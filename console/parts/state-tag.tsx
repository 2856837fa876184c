/** A state as a small label: the colour adds nothing to the word. */

const TONES: Readonly<Record<string, string>> = {
  open: "bad",
  dead_letter: "bad",
  failed_again: "bad",
  replaying: "warn",
  running: "warn",
  settling: "warn",
  pending: "warn",
  published: "warn",
  paused: "warn",
  stopped: "bad",
  delivered: "ok",
  done: "ok",
};

export function StateTag({ state }: { readonly state: string }) {
  return <span class={`tag ${TONES[state] ?? "unknown"}`}>{state.replaceAll("_", " ")}</span>;
}
