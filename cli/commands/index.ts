/** Every command, in the order of the help. */
import type { Registration } from "../run/command.ts";
import { completion } from "./completion.ts";
import { coverage } from "./coverage.ts";
import { deadLetters } from "./dead-letters/index.ts";
import { deploy } from "./deploy.ts";
import { dev } from "./dev.ts";
import { doctor } from "./doctor.ts";
import { evidence } from "./evidence/index.ts";
import { incidents } from "./incidents.ts";
import { init } from "./init.ts";
import { pause, resume } from "./pause.ts";
import { preview } from "./preview.ts";
import { pseudonym } from "./pseudonym.ts";
import { replays } from "./replays.ts";
import { schemas } from "./schemas/index.ts";
import { tokens } from "./tokens.ts";
import { trace } from "./trace.ts";
import { upgrade } from "./upgrade.ts";
import { verify } from "./verify.ts";
import { wrangler } from "./wrangler.ts";

export const commands: readonly Registration[] = [
  init,
  coverage,
  preview,
  deploy,
  upgrade,
  doctor,
  schemas,
  incidents,
  deadLetters,
  replays,
  trace,
  pause,
  resume,
  tokens,
  verify,
  evidence,
  pseudonym,
  dev,
  wrangler,
  completion,
];
