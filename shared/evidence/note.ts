/** Signed notes and checkpoints: what is signed, and the lines of the signatures. https://c2sp.org/signed-note, https://c2sp.org/tlog-checkpoint */
import { fromBase64, toBase64, toHex } from "../bytes.ts";
import type { Sha256 } from "./merkle.ts";

declare const TextEncoder: new () => { encode(text: string): Uint8Array };

/** Ed25519 in a key id and in a verifier key. https://c2sp.org/signed-note#signatures */
const ED25519 = 0x01;
const KEY_ID_BYTES = 4;
/** A name without spaces and plus signs. https://c2sp.org/signed-note#format */
const KEY_NAME = /^[^\s+]+$/u;
const SIGNATURE_LINE = /^— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})$/u;

interface Head {
  /** Names the log, and is the name of its key. */
  readonly origin: string;
  /** Number of entries. */
  readonly size: number;
  readonly root: Uint8Array;
}

/** Returns true for a text that can name a log and its key: no spaces and no plus signs. */
export function isOrigin(text: string): boolean {
  return text.length <= 200 && KEY_NAME.test(text);
}

/** Returns what is signed of a checkpoint: origin, size and root, each on its line. */
export function checkpointText({ origin, size, root }: Head): string {
  return `${origin}\n${size}\n${toBase64(root)}\n`;
}

/** Returns the id of an Ed25519 key: 4 bytes. */
export function keyId(sha256: Sha256, name: string, publicKey: Uint8Array): Uint8Array {
  const tail = Uint8Array.of(0x0a, ED25519, ...publicKey);
  return sha256(new TextEncoder().encode(name), tail).subarray(0, KEY_ID_BYTES);
}

/** Returns the verifier key that auditors are given: `<name>+<key id>+<base64>`. */
export function verifierKey(sha256: Sha256, name: string, publicKey: Uint8Array): string {
  const encoded = toBase64(Uint8Array.of(ED25519, ...publicKey));
  return `${name}+${toHex(keyId(sha256, name, publicKey))}+${encoded}`;
}

/** Returns the line of a signature, without its line break. */
export function signatureLine(name: string, id: Uint8Array, signature: Uint8Array): string {
  return `— ${name} ${toBase64(Uint8Array.of(...id, ...signature))}`;
}

/** Returns the whole note of a text and the lines of its signatures. */
export function signedNote(text: string, signatures: readonly string[]): string {
  return `${text}\n${signatures.map((line) => `${line}\n`).join("")}`;
}

/** Returns true for a line that a note can carry as a signature, whoever made it. */
export function isSignatureLine(line: string): boolean {
  const encoded = SIGNATURE_LINE.exec(line)?.[2];
  return encoded !== undefined && (fromBase64(encoded)?.length ?? 0) > KEY_ID_BYTES;
}
