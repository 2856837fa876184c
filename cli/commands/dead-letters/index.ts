/** The `dead-letters` commands. */
import { group } from "../../run/command.ts";
import { discard } from "./discard.ts";
import { exportLetters } from "./export.ts";
import { importLetters } from "./import.ts";
import { list } from "./list.ts";
import { replay } from "./replay.ts";
import { show } from "./show.ts";

export const deadLetters = group("dead-letters", "See, mend and replay the records that could not be delivered", [
  list,
  show,
  replay,
  discard,
  exportLetters,
  importLetters,
]);
