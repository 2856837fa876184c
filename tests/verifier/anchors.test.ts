/** Witnesses and time stamps raise the grade; the time stamps come from OpenSSL. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { verifyEvidence, type VerifyOptions } from "../../verifier/verify.mjs";
import {
  cosignatureLine,
  evidenceOf,
  type Files,
  leafOf,
  LOG,
  noteText,
  openFolder,
  rootOf,
  signatureLine,
  signerOf,
  someQuarters,
} from "./evidence.ts";

const WITNESS = signerOf("witness.example/w1", 7, 4);
const PLAIN = signerOf("notary.example", 8);
const folder = openFolder([LOG.line, "# Witnesses", WITNESS.line, PLAIN.line]);
const { files, digests } = evidenceOf(someQuarters(3));
const hashes = digests.map(leafOf);
const textAt = (size: number): string => noteText(size, rootOf(hashes.slice(0, size)));

const check = (more: Files, options: Partial<VerifyOptions> = {}) => {
  folder.write(new Map([...files, ...more]));
  return verifyEvidence({ evidence: folder.path, key: folder.key, ...options });
};
const cosigned = (line: string): Files =>
  new Map([["checkpoint", Buffer.from(`${String(files.get("checkpoint"))}${line}`)]]);

describe("a witness", () => {
  it("that cosigned the checkpoint is named, with its time", async () => {
    expect(await check(cosigned(cosignatureLine(textAt(3), WITNESS, 1_796_000_000)))).toMatchObject({
      ok: true,
      grade: "witnessed",
      anchors: [
        {
          kind: "witness",
          size: 3,
          trusted: true,
          name: WITNESS.name,
          time: new Date(1_796_000_000_000).toISOString(),
        },
      ],
    });
    expect(await check(cosigned(signatureLine(textAt(3), PLAIN)))).toMatchObject({ ok: true, grade: "witnessed" });
  });

  it.each([
    ["that is unknown", cosignatureLine(textAt(3), signerOf("witness.example/w2", 9, 4), 1)],
    ["that signed another checkpoint", cosignatureLine(textAt(2), WITNESS, 1)],
    ["that signed without a time", signatureLine(textAt(3), WITNESS)],
    ["whose time was changed", cosignatureLine(textAt(3), WITNESS, 1).replace(/(?<= )(\S{8})A/, "$1B")],
  ])("%s counts for nothing, and does no harm", async (_, line) => {
    expect(await check(cosigned(line))).toMatchObject({ ok: true, grade: "signed", anchors: [] });
  });
});

const hasOpenssl = (() => {
  try {
    return execFileSync("openssl", ["version"]).length > 0;
  } catch {
    return false;
  }
})();

describe.skipIf(!hasOpenssl)("a time stamp", () => {
  const root = mkdtempSync(join(tmpdir(), "tsa-"));
  const openssl = (...args: readonly string[]): void =>
    void execFileSync("openssl", args, { cwd: root, stdio: "pipe" });
  const request = (kind: string, extensions: string, name: string, ca = "ca"): void => {
    openssl(
      "req",
      "-new",
      "-newkey",
      kind === "rsa" ? "rsa:2048" : "ec",
      ...(kind === "rsa" ? [] : ["-pkeyopt", "ec_paramgen_curve:prime256v1"]),
      "-nodes",
      "-keyout",
      `${name}.key`,
      "-out",
      `${name}.csr`,
      "-subj",
      `/CN=${name}`,
    );
    openssl(
      "x509",
      "-req",
      "-in",
      `${name}.csr`,
      "-CA",
      `${ca}.pem`,
      "-CAkey",
      `${ca}.key`,
      "-CAcreateserial",
      "-days",
      "3000",
      "-out",
      `${name}.pem`,
      "-extfile",
      extensions,
    );
  };
  const stampOf = (text: string, name = "tsa", chain = "middle.pem"): Buffer => {
    writeFileSync(join(root, "note"), text);
    openssl("ts", "-query", "-data", "note", "-sha256", "-cert", "-out", "q.tsq");
    openssl(
      "ts",
      "-reply",
      "-queryfile",
      "q.tsq",
      "-signer",
      `${name}.pem`,
      "-inkey",
      `${name}.key`,
      "-chain",
      chain,
      "-config",
      "tsa.cnf",
      "-out",
      "r.tsr",
    );
    return readFileSync(join(root, "r.tsr"));
  };
  const ca = join(root, "ca.pem");

  beforeAll(() => {
    writeFileSync(join(root, "ca.ext"), "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n");
    writeFileSync(join(root, "tsa.ext"), "extendedKeyUsage=critical,timeStamping\n");
    writeFileSync(join(root, "web.ext"), "extendedKeyUsage=serverAuth\n");
    writeFileSync(
      join(root, "tsa.cnf"),
      "[tsa]\ndefault_tsa=t\n[t]\nserial=serial\ndefault_policy=1.2.3.4\ndigests=sha256\nsigner_digest=sha256\nordering=no\ntsa_name=no\ness_cert_id_chain=no\n",
    );
    for (const name of ["ca", "other"]) {
      openssl(
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-keyout",
        `${name}.key`,
        "-out",
        `${name}.pem`,
        "-days",
        "3000",
        "-subj",
        `/CN=${name}`,
        "-addext",
        "basicConstraints=critical,CA:TRUE",
      );
    }
    request("rsa", "ca.ext", "middle");
    request("rsa", "tsa.ext", "tsa", "middle");
    request("ec", "tsa.ext", "ec", "middle");
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  it.each(["tsa", "ec"])("of an authority that you trust is %s's, and raises the grade", async (name) => {
    const stamped: Files = new Map([["anchors/3.tsr", stampOf(textAt(3), name)]]);
    expect(await check(stamped, { tsa: ca })).toMatchObject({
      ok: true,
      grade: "timestamped",
      anchors: [
        {
          kind: "timestamp",
          size: 3,
          trusted: true,
          authority: `CN=${name}`,
          time: expect.stringMatching(/^20\d\d-\d\d-\d\dT.*Z$/),
        },
      ],
    });
    expect(await check(stamped)).toMatchObject({ ok: true, grade: "signed", anchors: [{ size: 3, trusted: false }] });
    expect(await check(stamped, { tsa: join(root, "other.pem") })).toMatchObject({
      grade: "signed",
      anchors: [{ trusted: false }],
    });
  });

  it("of an older checkpoint is listed, and says nothing about the newer digests", async () => {
    const stamped: Files = new Map([["anchors/2.tsr", stampOf(textAt(2))]]);
    expect(await check(stamped, { tsa: ca })).toMatchObject({ grade: "signed", anchors: [{ size: 2, trusted: true }] });
  });

  it("of another text, cut or changed in any byte is not trusted", async () => {
    const good = stampOf(textAt(3));
    const others = [stampOf(textAt(2)), good.subarray(0, -1), Buffer.from("no"), Buffer.alloc(0)];
    // Around the hash lies what was signed, with the time; the last bytes are the signature.
    const hash = good.indexOf(createHash("sha256").update(textAt(3)).digest());
    const places = [
      ...Array.from({ length: 64 }, (_, at) => hash - 16 + at),
      ...[1, 50, 100, 200].map((back) => good.length - back),
    ];
    for (const place of places) others.push(Buffer.from(good.map((byte, at) => (at === place ? byte ^ 1 : byte))));
    for (const stamp of others) {
      expect(await check(new Map([["anchors/3.tsr", stamp]]), { tsa: ca })).toMatchObject({
        ok: true,
        grade: "signed",
        anchors: [{ trusted: false, size: 3 }],
      });
    }
  });

  it("by a certificate for something else is refused by OpenSSL and by us", async () => {
    request("rsa", "web.ext", "web", "middle");
    expect(() => stampOf(textAt(3), "web")).toThrow("openssl");
    await expect(check(new Map(), { tsa: folder.key })).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringContaining("no certificate in PEM form"),
    });
  });
});
