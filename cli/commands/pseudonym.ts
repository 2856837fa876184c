/** `pseudonym [value]`: shows how a value appears in the audit log, under each key. */
import { createHmac } from "node:crypto";
import { text } from "node:stream/consumers";
import { type Hmac, parsePseudonymKeys, pseudonymOf } from "../../shared/pseudonym.ts";
import { command } from "../run/command.ts";
import { WrongUse } from "../run/failure.ts";
import { pipedInput } from "../run/stdin.ts";

const hmac: Hmac = (secret, value) => Promise.resolve(createHmac("sha256", secret).update(value).digest());

export const pseudonym = command({
  usage: "pseudonym [value]",
  about: "Show the pseudonym of a value, as it appears in the audit log",
  examples: [
    ["pseudonym ann@example.com", "under the current key, then under older ones"],
    ["pseudonym < value.txt", "keeps the value out of the shell's history"],
  ],
  options: (yargs) => yargs.positional("value", { type: "string", describe: "The clear value; default stdin" }),
  run: async (args, io) => {
    const keys = io.env["AUDIT_PSEUDONYM_KEYS"];
    if (!keys) throw new WrongUse('"AUDIT_PSEUDONYM_KEYS" is not set; export the keys of the gateway');
    const parsed = parsePseudonymKeys(keys);
    const value = args.value ?? (await text(pipedInput("value", io))).replace(/\r?\n$/, "");
    if (value === "") throw new WrongUse('"value" must not be empty');
    const pseudonyms = await Promise.all(
      parsed.map(async (key, index) => ({
        key_id: key.id,
        current: index === 0,
        pseudonym: await pseudonymOf(value, key, hmac),
      })),
    );
    return { json: { pseudonyms }, lines: pseudonyms.map(({ pseudonym }) => pseudonym) };
  },
});
