/** Signed notes against the published sample of Go's `sumdb/note`, and a checkpoint of the specification. */
import { createPrivateKey, createPublicKey, sign } from "node:crypto";
import { expect, it } from "vitest";
import { fromBase64, fromHex, toHex } from "../../../shared/bytes.ts";
import {
  checkpointText,
  isOrigin,
  isSignatureLine,
  keyId,
  signatureLine,
  signedNote,
  verifierKey,
} from "../../../shared/evidence/note.ts";
import { sha256 } from "./sha256.ts";

/** https://pkg.go.dev/golang.org/x/mod/sumdb/note#example-Sign; the first byte of the key is its kind. */
const SEED = (fromBase64("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz") ?? new Uint8Array()).subarray(1);
const TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const NOTE = `${TEXT}
— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=
`;

it("signs as the published sample is signed, and has its verifier key", () => {
  const der = Buffer.concat([fromHex("302e020100300506032b657004220420"), SEED]);
  const key = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  const { x = "" } = createPublicKey(key).export({ format: "jwk" });
  const publicKey = fromBase64(x) ?? new Uint8Array();
  expect(verifierKey(sha256, "PeterNeumann", publicKey)).toBe(
    "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
  );
  const id = keyId(sha256, "PeterNeumann", publicKey);
  expect(toHex(id)).toBe("c74f20a3");
  expect(signedNote(TEXT, [signatureLine("PeterNeumann", id, sign(null, Buffer.from(TEXT), key))])).toBe(NOTE);
});

/** https://c2sp.org/tlog-cosignature */
const CHECKPOINT = `example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==
`;

it("writes a checkpoint as the specification shows one", () => {
  const root = fromBase64("CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=") ?? new Uint8Array();
  const text = checkpointText({ origin: "example.com/behind-the-sofa", size: 20_852_163, root });
  const lines = CHECKPOINT.trimEnd().split("\n").slice(4);
  expect(signedNote(text, lines)).toBe(CHECKPOINT);
  expect(lines.every(isSignatureLine)).toBe(true);
});

it.each([
  ["no dash", "witness AAAAAAA="],
  ["a hyphen in place of the dash", "- witness AAAAAAA="],
  ["no signature behind the key id", "— witness AAAAAA=="],
  ["two spaces", "— witness  AAAAAAAA"],
  ["a plus sign in the name", "— wit+ness AAAAAAAA"],
  ["something behind it", "— witness AAAAAAAA x"],
  ["no base64", "— witness ???"],
  ["two lines", "— witness AAAAAAAA\n— witness AAAAAAAA"],
])("takes no signature line with %s", (_, line) => {
  expect(isSignatureLine(line)).toBe(false);
});

it.each([
  ["audit.example.com/evidence", true],
  ["a b", false],
  ["a+b", false],
  ["", false],
  ["a\nb", false],
])("takes %j as the name of a log: %s", (origin, isTaken) => {
  expect(isOrigin(origin)).toBe(isTaken);
});
