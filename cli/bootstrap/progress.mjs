// Progress on stderr, so that stdout stays the task's own: one live line on a terminal, plain lines in a pipe.

const FRAMES = ["|", "/", "-", "\\"];
const FRAME_MS = 120;
const PIPE_LINE_MS = 15_000;

/**
 * Shows `doing` with its elapsed time until `work` settles, then one line that says how long it took.
 * @template T
 * @param {string} doing such as "installing packages"
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withProgress(doing, work) {
  const startMs = Date.now();
  const seconds = () => Math.round((Date.now() - startMs) / 1000);
  const live = process.stderr.isTTY;
  let frame = 0;
  const draw = () => process.stderr.write(`\r\u001b[K${FRAMES[frame++ % FRAMES.length]} ${doing}, ${seconds()} s`);
  if (live) draw();
  else process.stderr.write(`${doing} ...\n`);
  const timer = setInterval(
    () => (live ? draw() : process.stderr.write(`still ${doing}, ${seconds()} s\n`)),
    live ? FRAME_MS : PIPE_LINE_MS,
  );
  try {
    const result = await work();
    process.stderr.write(`${live ? "\r\u001b[K" : ""}done ${doing}, ${seconds()} s\n`);
    return result;
  } catch (error) {
    if (live) process.stderr.write("\r\u001b[K");
    throw error;
  } finally {
    clearInterval(timer);
  }
}
