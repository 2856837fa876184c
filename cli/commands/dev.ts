/** `dev`: where the laptop stack is, because neither the CLI nor the package holds it. */
import { WrongUse } from "../run/failure.ts";
import { command } from "../run/command.ts";
import { IS_PACKAGE } from "../run/installation.ts";

export const dev = command({
  usage: "dev",
  about: "The stack on a laptop: gateway, queue, worker, and a stand-in for WorkOS; it needs the repository",
  run: (_args, io) => {
    const start = io.suggest("dev");
    const message = IS_PACKAGE
      ? `the stack on a laptop is not in the package, because its Zuplo gateway takes 600 MB; clone the repository, and run there: ${start}`
      : `the stack on a laptop is an npm script, which installs what it needs (600 MB); run: ${start}`;
    return Promise.reject(new WrongUse(message));
  },
});
