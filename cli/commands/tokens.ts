/** `tokens create`: makes a token for one operator, and the `AUDIT_TOKENS` entry that accepts it. Makes no request. */
import { createHash, randomBytes } from "node:crypto";
import { expiryMs, isTokenName, ROLES, type TokenEntry } from "../../shared/access-tokens.ts";
import { command, group } from "../run/command.ts";
import { WrongUse } from "../run/failure.ts";

/** 256 bits. Our choice. */
const TOKEN_BYTES = 32;
/** A prefix by which people and secret scanners recognize a leaked token. */
const PREFIX = "aft_";

const create = command({
  usage: "create",
  about: "Make a token for one operator, and the AUDIT_TOKENS entry that accepts it",
  examples: [
    ["tokens create --name ann --role operate", "for a person on call"],
    [
      "tokens create --name prometheus --role read --expires 2027-01-31",
      "for a program, until the end of that day (UTC)",
    ],
  ],
  options: (yargs) =>
    yargs
      .option("name", {
        type: "string",
        demandOption: true,
        requiresArg: true,
        describe: "The operator's name in receipts and audit events",
      })
      .option("role", { choices: ROLES, demandOption: true, requiresArg: true, describe: "What the token may do" })
      .option("expires", {
        type: "string",
        requiresArg: true,
        describe: "The last day on which it is valid (UTC): YYYY-MM-DD",
      }),
  run: async ({ name, role, expires }, io) => {
    if (!isTokenName(name)) throw new WrongUse('"--name" must be 1 to 100 characters without control characters');
    checkExpiry(expires, Date.now());
    const token = PREFIX + randomBytes(TOKEN_BYTES).toString("base64url");
    const sha256 = createHash("sha256").update(token).digest("hex");
    const entry: TokenEntry = { name, role, sha256, ...(expires === undefined ? {} : { expires }) };
    io.note("The token is shown only once. Give it to its holder; the worker needs only the entry.");
    return {
      json: { token, entry },
      lines: [
        `token: ${token}`,
        `entry: ${JSON.stringify(entry)}`,
        "",
        "Add the entry to the JSON list in the worker's variable AUDIT_TOKENS, next to the existing entries.",
        `If it is the only one, AUDIT_TOKENS is: [${JSON.stringify(entry)}]`,
        `The same in base64url: ${Buffer.from(JSON.stringify([entry])).toString("base64url")}`,
      ],
    };
  },
});

export const tokens = group("tokens", "Make the tokens of operators", [create]);

function checkExpiry(expires: string | undefined, nowMs: number): void {
  if (expires === undefined) return;
  const untilMs = expiryMs(expires);
  if (untilMs === undefined) throw new WrongUse('"--expires" must be a day such as 2027-01-31');
  if (untilMs <= nowMs) throw new WrongUse('"--expires" must not be in the past');
}
