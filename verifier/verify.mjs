#!/usr/bin/env node
// Checks evidence of the audit forwarder offline and compares it with exports of WorkOS. Needs Node 20 or later, and no packages.
//   node verify.mjs <folder or pack.zip> --key audit-evidence.pub [--export export.csv]…
// It trusts your key file alone. It checks the log (RFC 6962, C2SP tlog-tiles), the chain of digests, their leaves, exports (RFC 8785; a leaf is
// SHA-256(0x00 ‖ body)), signatures (C2SP signed-note, tlog-checkpoint, tlog-cosignature) and time stamps (RFC 3161). It holds 60 bytes per event.
import * as crypto from "node:crypto"; import * as fs from "node:fs"; import * as zlib from "node:zlib";
import { pipeline, Readable } from "node:stream"; import { pathToFileURL } from "node:url"; import { parseArgs } from "node:util";
/** The input cannot be checked. Exit code 2: an argument is wrong. Exit code 1: a file is broken. */
export class Unusable extends Error {
  constructor(message, exitCode = 1) { Object.assign(super(message), { exitCode, code: ["", "unreadable", "wrong_use"][exitCode] }); } }
/** All hashes are SHA-256, in hexadecimal. */
const sha256 = (data) => (crypto.hash ? crypto.hash("sha256", data) : crypto.createHash("sha256").update(data).digest("hex"));
const bytesOf = (hash) => Buffer.from(hash, "hex"); const pair = Buffer.alloc(65, 1);
const nodeOf = (left, right) => (pair.write(left, 1, "hex"), pair.write(right, 33, "hex"), sha256(pair));
const leafOf = (body) => sha256(typeof body === "string" ? `\0${body}` : Buffer.concat([Buffer.alloc(1), body]));
/** RFC 8785: keys in the order of their UTF-16 units; strings and numbers as `JSON.stringify` writes them. */
export function canonical(value) {
  if (typeof value === "string" && /^[ !#-[\]-\ud7ff]*$/.test(value)) return `"${value}"`;
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`; if (value === null || typeof value !== "object") return JSON.stringify(value);
  return `{${Object.keys(value).sort().map((key) => `${canonical(key)}:${canonical(value[key])}`).join(",")}}`; }
/** An RFC 6962 tree that grows. `peaks` holds the roots of its complete subtrees, the largest first. */
export class Tree { size = 0; peaks = [];
  add(hash) { for (let rest = this.size++; rest % 2 === 1; rest = (rest - 1) / 2) hash = nodeOf(this.peaks.pop(), hash); return (this.peaks.push(hash), this); }
  root = () => (this.size === 0 ? sha256("") : this.peaks.reduceRight((right, left) => nodeOf(left, right))); }
// ---- Files of a folder or a zip; nothing is unpacked to the disk ----
const CHUNK = 1 << 18;
/** Reads a file, or a part of it, in chunks. Each chunk is valid until the next one is read. */
function* chunksOf(path, start = 0, end = Infinity) { const file = fs.openSync(path, "r"), buffer = Buffer.alloc(Math.min(CHUNK, fs.statSync(path).size));
  try {
    for (let n; (n = fs.readSync(file, buffer, 0, Math.min(buffer.length, end - start), start)) > 0; start += n) yield buffer.subarray(0, n);
  } finally { fs.closeSync(file); } }
const streamOf = (chunks) => Readable.from((async function* () { for await (const chunk of chunks) yield Buffer.from(chunk); })());
function openSource(path) { if (!fs.existsSync(path)) throw new Unusable(`"${path}" does not exist; name the evidence folder or the pack`, 2);
  const source = fs.statSync(path).isDirectory() ? openFolder(path) : openZip(path);
  if (source.size("checkpoint") === undefined) throw new Unusable(`"${path}" is not evidence: it has no file "checkpoint"`);
  const bytes = async (name) => Buffer.concat(await streamOf(source.size(name) > 256 * CHUNK ? [] : source.chunks(name)).toArray());
  return { ...source, bytes, has: (name) => source.size(name) !== undefined }; }
const openFolder = (root, size = (name) => fs.statSync(`${root}/${name}`, { throwIfNoEntry: false })?.size) => ({
  size, chunks: (name) => chunksOf(`${root}/${name}`), list: (name) => (size(name) === undefined ? [] : fs.readdirSync(`${root}/${name}`)) });
function openZip(path) { const bad = (what) => new Unusable(`"${path}" is not a zip file that can be read here: ${what}`);
  const file = fs.openSync(path, "r"), total = fs.statSync(path).size, entries = new Map();
  const read = (start, length, bytes = Buffer.alloc(start + length > total ? 0 : length)) => {
    if (bytes.length < length || fs.readSync(file, bytes, 0, length, start) < length) throw bad("it is cut short"); return bytes; };
  const tail = read(Math.max(0, total - 65_557), Math.min(65_557, total)), end = tail.lastIndexOf("PK\x05\x06");
  if (end < 0 || end + 22 > tail.length) throw bad("it has no directory");
  if (tail.readUInt32LE(end + 16) === 0xffffffff || tail.readUInt16LE(end + 10) === 0xffff) throw bad("it is too large; unpack it and name the folder");
  const directory = read(tail.readUInt32LE(end + 16), tail.readUInt32LE(end + 12));
  for (let at = 0; at + 46 <= directory.length; ) {
    const [flags, method, nameLength, extraLength, noteLength] = [8, 10, 28, 30, 32].map((field) => directory.readUInt16LE(at + field));
    const [signature, packed, size, offset] = [0, 20, 24, 42].map((field) => directory.readUInt32LE(at + field));
    const name = directory.toString("utf8", at + 46, at + 46 + nameLength);
    if (signature !== 0x02014b50 || flags % 2 === 1 || (method !== 0 && method !== 8)) throw bad(`"${name}" is packed in an unknown way`);
    if (/(^|\/)\.{1,2}(\/|$)|^\/|[\\\0:]/.test(name) || entries.has(name)) throw bad(`${JSON.stringify(name)} leads out of it, or is in it twice`);
    entries.set(name, { packed, size, offset, method }); at += 46 + nameLength + extraLength + noteLength; }
  const chunks = (name) => {
    const { offset, packed, size, method } = entries.get(name), head = read(offset, 30), from = offset + 30 + head.readUInt16LE(26) + head.readUInt16LE(28);
    if (method === 0) return chunksOf(path, from, from + packed);
    if (size < CHUNK && packed < CHUNK) return [zlib.inflateRawSync(read(from, packed), { maxOutputLength: size + 1 })];
    return pipeline(streamOf(chunksOf(path, from, from + packed)), zlib.createInflateRaw(), () => {}); };
  const list = (folder) => [...entries.keys()].filter((name) => name.startsWith(`${folder}/`)).map((name) => name.slice(folder.length + 1));
  return { size: (name) => entries.get(name)?.size, chunks, list }; }
// ---- Texts: lines and rows, in batches ----
/** Yields the items that `take(text, last)` finds. `take` also returns the rest of the text, which waits for more. */
async function* batchesOf(chunks, take) { const decoder = new TextDecoder("utf-8", { fatal: true }); let items, text = "";
  for await (const chunk of chunks) {
    [items, text] = take(text + decoder.decode(chunk, { stream: true }), false);
    if (text.length > 1 << 24) throw new Unusable("a line or a row has more than 16 million characters"); yield items; }
  yield take(text + decoder.decode(), true)[0]; }
const linesOf = (chunks) => batchesOf(chunks, (text, last) => {
  const lines = text.split("\n"), rest = last && lines.at(-1) !== "" ? "" : lines.pop(); return [lines, rest]; });
/** CSV as in RFC 4180, with a comma, a semicolon or a tab between the cells. */
function csvRowsOf(chunks) { let cell, sign;
  return batchesOf(chunks, (text, last) => { const count = (one) => text.split("\n", 1)[0].split(one).length;
    sign ??= [",", ";", "\t"].reduce((best, next) => (count(next) > count(best) ? next : best));
    cell ??= new RegExp(`(?:"([^"]*(?:""[^"]*)*)"|([^"${sign}\\n][^${sign}\\n]*)?)(${sign}|\\r?\\n)`, "y");
    const all = last && text !== "" && !text.endsWith("\n") ? `${text}\n` : text, rows = []; let row = [], start = (cell.lastIndex = 0);
    for (let match; (match = cell.exec(all)); ) {
      row.push(match[1] === undefined ? (match[2] ?? "").replace(/\r$/, "") : match[1].replaceAll('""', '"')); if (match[3] === sign) continue;
      if (row.length > 1 || row[0] !== "") rows.push(row); [row, start] = [[], cell.lastIndex]; }
    if (last && start < all.length) throw new Unusable("it is cut short, or is not CSV"); return [rows, all.slice(start)];
  }); }
// ---- Keys and checkpoints ----
/** Reads lines of `<name>+<key id>+<base64>`. Keys of algorithm 1 sign the note itself; keys of algorithm 4 belong to witnesses and add the time. */
function readKeys(text, path) {
  return text.split(/\s*\n/).filter((line) => line !== "" && !line.startsWith("#")).map((line) => {
    const [, name, id, base64 = ""] = /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+=*)$/.exec(line) ?? [], bytes = Buffer.from(base64, "base64");
    const sound = bytes.length === 33 && (bytes[0] === 1 || bytes[0] === 4) && sha256(Buffer.concat([Buffer.from(`${name}\n`), bytes])).startsWith(id);
    if (!sound) throw new Unusable(`"${path}" has a line that is not a verifier key; a line is <name>+<key id>+<base64>`, 2);
    const jwk = { kty: "OKP", crv: "Ed25519", x: bytes.toString("base64url", 1) };
    return { name, id, witness: bytes[0] === 4, key: crypto.createPublicKey({ key: jwk, format: "jwk" }) };
  }); }
function readCheckpoint(note, path) { const form = /^(([^\n]+)\n(0|[1-9]\d{0,14})\n([A-Za-z0-9+/]{43}=)\n(?:[^\n]+\n)*)\n((?:— \S+ [A-Za-z0-9+/]+=*\n)+)$/;
  const [, text, origin, size, root, lines = ""] = form.exec(note) ?? [], exact = (base64) => Buffer.from(base64, "base64").toString("base64") === base64;
  const signatures = lines.split("\n").slice(0, -1).map((line) => ({ by: line.split(" ")[1], base64: line.split(" ")[2] }));
  if (lines && exact(root) && signatures.every(({ base64 }) => exact(base64))) return { text, origin, size: Number(size), root, signatures };
  throw new Unusable(`"${path}" is not a signed checkpoint: it is damaged, or another file`); }
/** Returns who signed the checkpoint with one of the keys; for a witness, with the time in seconds. */
function signersOf({ text, signatures }, keys) {
  return keys.flatMap(({ name, id, witness, key }) => signatures.flatMap(({ by, base64 }) => {
    const bytes = Buffer.from(base64, "base64"), seconds = witness && bytes.length === 76 ? Number(bytes.readBigUInt64BE(4)) : undefined;
    if (by !== name || bytes.toString("hex", 0, 4) !== id || bytes.length !== (witness ? 76 : 68)) return [];
    const signed = Buffer.from(witness ? `cosignature/v1\ntime ${seconds}\n${text}` : text);
    return crypto.verify(null, signed, key, bytes.subarray(-64)) ? [{ name, seconds }] : [];
  })); }
// ---- The log, its digests, and their leaves ----
function tilePath(level, number, width) { const groups = String(number).padStart(Math.ceil(String(number).length / 3) * 3, "0").replace(/\d{3}(?=\d)/g, "x$&/");
  return `tile/${level}/${groups}${width < 256 ? `.p/${width}` : ""}`; }
/** Calls `visit(number, bytes)` for each digest, and returns the roots at the sizes in `marks`. Stops at the first missing digest. */
async function readLog(source, size, marks, fault, visit) { const tree = new Tree(), hashes = [], roots = new Map([[0, sha256("")]]);
  for (let first = 0; first < size; first += 256) {
    const path = tilePath("entries", first / 256, Math.min(256, size - first));
    let bytes = source.has(path) ? await source.bytes(path) : Buffer.alloc(0), number = first;
    for (; number < Math.min(first + 256, size); number++) {
      const end = bytes.length < 2 ? Infinity : 2 + bytes.readUInt16BE(0);
      if (end > bytes.length) return (fault(number, `"${path}" ${source.has(path) ? "ends before it" : "is missing"}`), roots);
      hashes.push(leafOf(bytes.subarray(2, end))); if (marks.has(tree.add(hashes[number]).size)) roots.set(tree.size, tree.root());
      await visit(number, bytes.subarray(2, end)); bytes = bytes.subarray(end); }
    if (bytes.length > 0) fault(number - 1, `"${path}" holds bytes behind the last entry`); }
  for (let level = 0, row = hashes, above = []; row.length > 0; level++, row = above, above = []) for (let first = 0; first < row.length; first += 256) {
    const part = row.slice(first, first + 256), number = first * 256 ** level, path = tilePath(level, first / 256, part.length);
    if (!source.has(path)) fault(number, `"${path}" is missing`);
    else if (!(await source.bytes(path)).equals(bytesOf(part.join("")))) fault(number, `"${path}" differs from the entries`);
    if (part.length === 256) above.push(part.reduce((subtree, hash) => subtree.add(hash), new Tree()).root()); }
  return roots; }
const QUARTER = /^\d{4}-\d\d-\d\dT\d\d:(00|15|30|45):00\.000Z$/;
/** Returns what is wrong with a digest, or undefined. `before` is the digest before it. */
function digestFault(digest, text, number, before) {
  const { v, from, until, previous, organizations: list } = digest ?? {}; if (v !== 1 || canonical(digest) !== text) return "is not RFC 8785 JSON of version 1";
  if (digest.number !== number) return `has the number ${digest.number}`;
  if (previous !== (before ? before.hash : null)) return 'has a "previous" that is not the hash of the digest before it';
  if (!QUARTER.test(from) || !QUARTER.test(until) || Date.parse(until) - Date.parse(from) !== 900_000) return "does not cover a quarter of an hour";
  if (before && from !== before.until && from !== before.from) return `begins at ${from}, but the digest before it ends at ${before.until}`;
  const sound = ({ id, events, root }) => /^(?!\.{1,2}$)\P{Cs}{1,500}$/u.test(id) && events > 0 && /^[0-9a-f]{64}$/.test(root);
  const sorted = () => list.length <= 400 && list.every((one, at) => sound(one) && (at === 0 || list[at - 1].id < one.id));
  return Array.isArray(list) && sorted() ? undefined : 'has "organizations" that are wrong or not sorted'; }
async function* leavesOf(source, path) { for await (const lines of linesOf(source.chunks(path))) yield lines.map((line) => {
    const [, id, leaf] = /^\{"event_id":"([^"\\\p{Cc}]+)","leaf":"([0-9a-f]{64})"\}$/u.exec(line) ?? [];
    if (id === undefined) throw new Unusable(`it has a line that is not {"event_id":"…","leaf":"…"}`); return { id, leaf };
  }); }
const copiesOf = (source, path) => linesOf(pipeline(streamOf(source.chunks(path)), zlib.createGunzip(), () => {}));
/** Checks the leaves of one organization in one digest against the root, and copies against leaves. An erased copy leaves an empty line. */
async function checkLeaves(source, { path, copies, root, events }, fault, visit) { const tree = new Tree(), leaves = [], copied = source.has(copies);
  for await (const batch of leavesOf(source, path)) for (const { id, leaf } of batch) { visit(id, tree.add(leaf)); if (copied) leaves.push(leaf); }
  if (tree.root() !== root || tree.size !== events) fault(`"${path}" does not hold the ${events} leaves of its root`); let line = 0;
  for await (const bodies of copied ? copiesOf(source, copies) : []) for (const body of bodies)
    if (leaves[line++] !== leafOf(body) && body !== "") fault(`"${copies}" differs from the leaf in line ${line}`);
  return tree.size; }
// ---- Exports: a row is a list of cells, and the cells make the body of an event ----
const escaped = (key) => key.replaceAll("~", "~0").replaceAll("/", "~1");
const memo = (make, made = new Map()) => (key, ...rest) => made.get(key) ?? (made.set(key, make(key, ...rest)), made.get(key));
const keysOf = memo((pointer) => pointer.slice(1).split("/").map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~")));
const parsed = (text) => { try { return JSON.parse(text); } catch { return undefined; } };
const isoOf = (ms) => (Number.isNaN(ms) ? "" : new Date(ms).toISOString());
const timeIn = (id) => (/^[0-9a-f]{8}-[0-9a-f]{4}-7/.test(id) ? Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16) : Number.NaN); // UUIDv7
const NUMBERS = ["http_status", "duration_ms", "request_count", "sequence", "record_v"].map((key) => `/event/metadata/${key}`);
const WHOLE = /^\/event(\/(actor|targets|context|metadata|actor\/metadata|targets\/\d+|targets\/\d+\/metadata))?$/;
/** Names of columns in lower case, without signs, by their place in the body. */
const NAMES = new Map(Object.entries({
  "/organization_id": "organizationid organization organisationid organisation orgid org", "/event/action": "action actionname eventname eventtype",
  "/event/occurred_at": "occurredat occurred timestamp datetime date time", "/event/version": "version actionversion schemaversion",
  "/event/context/location": "location contextlocation ip ipaddress", "/event/context/user_agent": "useragent contextuseragent",
  "/event/actor": "actor", "/event/context": "context", "/event/metadata": "metadata", "/event/targets": "targets target",
  "/event/actor/id": "actorid", "/event/actor/type": "actortype", "/event/actor/name": "actorname", "/event/actor/metadata": "actormetadata",
}).flatMap(([pointer, names]) => names.split(" ").map((name) => [name, pointer])));
function pointerOf(name) { const [, actor, key] = /^\s*(?:(?:event|data)[ _./-]+)?(actor[ _./-]*)?metadata(?:__|[ _./:-]|\[)(.+?)\]?\s*$/i.exec(name) ?? [];
  if (key) return `/event/${actor ? "actor/" : ""}metadata/${escaped(key)}`;
  const plain = name.toLowerCase().replace(/[^a-z0-9]+/g, ""), bare = plain.replace(/^(event|data)(?=.)/, "");
  const [, at, field] = /^targets?(\d{0,2})(id|type|name|metadata)?$/.exec(bare) ?? [];
  return NAMES.get(plain) ?? NAMES.get(bare) ?? (at || field ? `/event/targets/${Number(at)}${field ? `/${field}` : ""}` : undefined); }
/** Maps the names of columns to places in the body. Of two columns for one place it takes the first, and a whole field before its parts. */
function columnsOf(names, map) { const to = names.map((name) => (Object.hasOwn(map, name) ? map[name] : pointerOf(name)));
  const plainId = to.some((pointer) => pointer?.startsWith("/event/metadata")) ? undefined : "/event/metadata/event_id";
  const whole = { __proto__: null, event: to.includes("/event/action") ? "/event" : "/event|action", data: "/event", event_id: plainId };
  names.forEach((name, at) => (to[at] ??= whole[name]));
  return to.map((pointer, at) => ({ at, pointer, type: NUMBERS.includes(pointer) ? "number" : "string" }))
    .filter(({ at, pointer }) => pointer && to.indexOf(pointer) === at && !to.some((other) => pointer.startsWith(`${other}/`))); }
/** A cell's `options` are the values that its text may represent. In CSV, a text may be a number or a boolean, and an empty text no value. */
function cellOf(column, value, typed) {
  const json = typeof value === "string" && /^\s*[{[]/.test(value) ? parsed(value) : value, whole = typeof json === "object" && json !== null;
  const pointer = column.pointer === "/event|action" ? (whole ? "/event" : "/event/action") : column.pointer;
  const cell = (...options) => ({ column, pointer, options }); if (WHOLE.test(pointer)) return cell(whole ? json : undefined);
  if (typeof value !== "string") return cell(value ?? undefined);
  if (pointer === "/event/occurred_at") return cell(value, ...(/^.{10}T.{8}\.\d{3}Z$/.test(value) ? [] : [isoOf(Date.parse(value))]));
  if (typed) return cell(value); if (value === "") return cell(undefined, ""); if (pointer === "/event/version") return cell(Number(value));
  const number = /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(value) ? [Number(value)] : [], boolean = /^(true|false)$/i.test(value) ? [/^t/i.test(value)] : [];
  return pointer.includes("/metadata/") ? cell(value, ...number, ...boolean) : cell(value); }
function rowOf(cells) { const at = (pointer) => cells.find((cell) => cell.pointer === pointer);
  const event = at("/event")?.options[0] ?? { metadata: at("/event/metadata")?.options[0], occurred_at: at("/event/occurred_at")?.options[0] };
  const [id, mark] = ["event_id", "record_v"].map((key) => event.metadata?.[key] ?? at(`/event/metadata/${key}`)?.options[0]);
  const ms = Date.parse(event.occurred_at);
  if (ms % 1000 === 0 && Math.floor(timeIn(id) / 1000) * 1000 === ms) at("/event/occurred_at")?.options.push(isoOf(timeIn(id))); // cut to seconds
  return { cells, id: typeof id === "string" ? id : undefined, ms, ours: mark !== undefined, organization: at("/organization_id")?.options[0] }; }
/** Reads an export in batches of rows, and adds the fields that it has to `seen`. */
async function* rowsOf(chunks, map, seen) { let head = "", heading; for await (const chunk of chunks()) if ((head = chunk.toString())) break;
  const json = /^(\uFEFF)?\s*\{/.test(head), columnsFor = memo((_, names) => columnsOf(names, map));
  for await (const batch of (json ? linesOf : csvRowsOf)(chunks())) { if (!json) heading ??= batch.shift();
    yield batch.filter((line) => !json || line.trim() !== "").map((line) => {
      const row = json ? parsed(line) : line, names = json ? Object.keys(row ?? {}) : heading;
      if (typeof row !== "object" || (!json && row.length !== heading.length)) throw new Unusable("it has a row that is cut short or damaged");
      const cells = columnsFor(names.join("\0"), names).map((column) => cellOf(column, row[json ? names[column.at] : column.at], json));
      for (const { pointer, options } of cells) if (!WHOLE.test(pointer) || options[0]) seen.add(pointer); return rowOf(cells);
    }); } }
function bodyOf(cells, picks) {
  const body = Object.create(null), within = (node, key, at) => (node[key] ??= key === "targets" && at === 1 ? [] : Object.create(null));
  cells.forEach(({ pointer, options }, cell) => {
    const keys = keysOf(pointer), value = options[picks[cell] ?? 0]; if (value !== undefined) keys.slice(0, -1).reduce(within, body)[keys.at(-1)] = value; });
  return body; }
const MOST_TRIES = 4096, VERSIONS = { pointer: "/event/version", options: [undefined, ...Array(50).keys()], column: {} };
/** Looks for values that give the leaf: "same", "guessed" if the version came from nowhere, "differs", or "open" if there are too many to try. */
function match(row, organization, leaf) {
  const has = (pointer) => row.cells.some((cell) => cell.pointer === pointer), product = (list) => list.reduce((n, { options }) => n * options.length, 1);
  const cells = has("/organization_id") ? [...row.cells] : [...row.cells, { pointer: "/organization_id", options: [organization] }];
  if (!has("/event/version") && !has("/event")) cells.push(VERSIONS); let open = cells.filter(({ options }) => options.length > 1);
  if (product(open) > MOST_TRIES) open = open.filter(({ options }) => options[0] !== undefined);
  const first = ({ options, column }) => (options[0] === undefined ? 0 : Math.max(0, options.findIndex((option) => typeof option === column.type)));
  for (let tries = 0; tries < Math.min(product(open), MOST_TRIES); tries++) {
    const picks = Array(cells.length).fill(0);
    open.reduce((rest, cell) => {
      picks[cells.indexOf(cell)] = (first(cell) + rest) % cell.options.length; return Math.floor(rest / cell.options.length);
    }, tries);
    if (leafOf(canonical(bodyOf(cells, picks))) !== leaf) continue;
    for (const cell of open) if (cell.options[0] !== undefined) cell.column.type = typeof cell.options[picks[cells.indexOf(cell)]];
    return cells.at(-1) === VERSIONS && picks.at(-1) > 0 ? "guessed" : "same"; }
  return product(open) > MOST_TRIES ? "open" : "differs"; }
/** Returns the pointers at which two values differ. */
function differences(one, other, pointer = "") {
  if (one !== undefined && other !== undefined && canonical(one) === canonical(other)) return [];
  if ([one, other].some((value) => typeof value !== "object" || value === null || Array.isArray(value) !== Array.isArray(one))) return [pointer];
  return [...new Set([...Object.keys(one), ...Object.keys(other)])].flatMap((key) => differences(one[key], other[key], `${pointer}/${escaped(key)}`)); }
const NEEDED = "action occurred_at actor/id actor/type actor/name targets/0/id targets/0/type context/location context/user_agent metadata/event_id".split(" ");
const [UNSEEN, SAME, DIFFERS, ALTERED, UNCOMPARED, OUTSIDE] = [0, 1, 2, 3, 4, 5];
/** Compares the events of `files` with the exports, and adds what it finds to `result`. */
async function compare(source, files, exports, { organization, since, until, columns, uuids }, fault, result) {
  const inTime = (ms) => Number.isNaN(ms) || (ms >= since && ms < until), inScope = (file) => (organization ?? file.organization) === file.organization;
  const expected = (id, { from, until: end }) => (Number.isNaN(timeIn(id)) ? Date.parse(end) > since && Date.parse(from) < until : inTime(timeIn(id)));
  const isOurs = ({ id, ours }) => ours || !uuids || /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(:\w+)?$/i.test(id);
  const room = files.reduce((sum, { size }) => sum + size, 0), ids = Buffer.alloc(room * 16), leaves = Buffer.alloc(room * 32);
  const state = new Uint8Array(room), owner = new Uint32Array(room), kept = new Map(); let used = 0;
  const table = new Int32Array(2 ** Math.ceil(Math.log2(2 * room + 2))); // slot + 1, by the hash of the event id
  const placeOf = (id, key = sha256(id).slice(0, 32)) => { let place = Number.parseInt(key.slice(0, 8), 16) % table.length;
    while (table[place] !== 0 && ids.toString("hex", table[place] * 16 - 16, table[place] * 16) !== key) place = (place + 1) % table.length;
    return [place, key]; };
  const leafAt = (slot) => leaves.toString("hex", slot * 32, slot * 32 + 32);
  const walk = async (visit) => {
    for (const [at, { path }] of files.entries()) for await (const batch of leavesOf(source, path)) for (const { id, leaf } of batch) visit(at, id, leaf); };
  await walk((at, id, leaf) => { const [place, key] = placeOf(id);
    if (table[place] !== 0) return fault(files[at].number, `event ${id} is also in digest ${files[owner[table[place] - 1]].number}`);
    ids.write(key, used * 16, "hex"); leaves.write(leaf, used * 32, "hex"); owner[used] = at; table[place] = ++used; });
  for (const { name, chunks } of exports) {
    const seen = new Set(), has = (pointer) => pointer !== "" && (seen.has(pointer) || has(pointer.slice(0, pointer.lastIndexOf("/")))); let matched = false;
    const judge = (row) => { const slot = row.id === undefined ? -1 : table[placeOf(row.id)[0]] - 1, file = files[owner[slot]], timely = inTime(row.ms);
      if (slot < 0 || !inScope(file)) {
        const elsewhere = organization !== undefined && (row.organization ?? file?.organization ?? organization) !== organization;
        if (timely && (row.id === undefined || elsewhere || !isOurs(row))) result.foreign_rows++;
        else if (timely) result.unexpected.push(row.id);
        return; }
      const verdict = match(row, file.organization, leafAt(slot)), same = verdict === "same" || verdict === "guessed"; matched ||= same;
      if (state[slot] !== UNSEEN && timely) result.unexpected.push(row.id); if (verdict === "guessed") result.uncompared_fields.add("/event/version");
      if (same) state[slot] = !timely ? OUTSIDE : verdict === "same" ? SAME : UNCOMPARED;
      if (same || state[slot] !== UNSEEN || !(timely || expected(row.id, file))) return; state[slot] = verdict === "open" ? UNCOMPARED : DIFFERS;
      if (kept.size < 10_000) kept.set(slot, { row, has }); };
    try {
      for await (const rows of rowsOf(chunks, columns, seen)) rows.forEach(judge);
    } catch (error) { throw new Unusable(`"${name}" cannot be read: ${error.message}`, error.exitCode); }
    const lacking = NEEDED.map((field) => `/event/${field}`).filter((pointer) => !has(pointer));
    const sure = lacking.length === 0 && (matched || ["/event/actor", "/event/targets", "/event/metadata"].every(has));
    for (const pointer of lacking) result.uncompared_fields.add(pointer);
    state.forEach((one, slot) => { if (one === DIFFERS) state[slot] = sure ? ALTERED : UNCOMPARED; }); }
  const fields = await fieldsOf(source, files, kept, state, owner, leafAt);
  await walk((at, id) => { const slot = table[placeOf(id)[0]] - 1, one = state[slot];
    state[slot] = OUTSIDE; // An event that the evidence names twice is one event.
    if (one === OUTSIDE || (one === UNSEEN && !(inScope(files[at]) && expected(id, files[at])))) return; result.events++; if (one !== UNSEEN) result.found++;
    else if (exports.length > 0) result.missing.push(id);
    if (one === UNCOMPARED) result.uncompared++; if (one === ALTERED) result.altered.push({ event_id: id, fields: fields.get(slot) ?? [] });
  }); }
/** Compares kept rows with copies, field by field, and corrects their states. */
async function fieldsOf(source, files, kept, state, owner, leafAt) {
  const fields = new Map(), slots = new Map([...kept.keys()].map((slot) => [leafAt(slot), slot]));
  for (const { copies } of new Set([...kept.keys()].map((slot) => files[owner[slot]])))
    for await (const bodies of source.has(copies) ? copiesOf(source, copies) : []) for (const body of bodies) {
      const slot = slots.get(leafOf(body)); if (slot === undefined || (state[slot] !== ALTERED && state[slot] !== UNCOMPARED)) continue;
      const truth = JSON.parse(body), { row: { cells }, has } = kept.get(slot);
      const valueAt = (pointer) => keysOf(pointer).reduce((node, key) => node?.[key], truth);
      const picks = cells.map(({ pointer, options }) => Math.max(0, options.findIndex((option) => differences(option, valueAt(pointer)).length === 0)));
      const all = differences(truth, { organization_id: truth.organization_id, ...bodyOf(cells, picks) }); fields.set(slot, all.filter(has));
      state[slot] = all.some(has) ? ALTERED : all.length > 0 ? UNCOMPARED : SAME; }
  return fields; }
// ---- Time stamps: RFC 3161 tokens in DER ----
const HASHES = { "608648016503040201": "sha256", "608648016503040202": "sha384", "608648016503040203": "sha512" };
function partsOf(bytes) { const list = [];
  for (let at = 0; at < bytes.length; ) {
    const long = Math.max(0, bytes[at + 1] - 0x80), start = at + 2 + long, end = start + (long ? bytes.readUIntBE(at + 2, long) : bytes[at + 1]);
    if (end > bytes.length) throw new RangeError("it is cut short");
    list.push({ hex: bytes.toString("hex", start, end), body: bytes.subarray(start, end), all: bytes.subarray(at, end) }); at = end; }
  return list; }
/** Checks a time stamp of `text`. Returns its time and authority, and whether one of the certificates `roots` vouches for it. */
const stampOf = (...args) => { try { return readStamp(...args); } catch { return { problem: "it is not a time stamp" }; } };
function readStamp(bytes, text, roots) { const inside = (node) => partsOf(node.body), hashOf = (node) => HASHES[inside(node)[0].hex];
  const hashed = (name, data) => crypto.createHash(name).update(data).digest("hex");
  const [status, token] = inside(partsOf(bytes)[0]), [, , content, certificates, ...rest] = inside(inside(inside(token)[1])[0]);
  const info = inside(inside(content)[1])[0].body, [, , stamped, , { body: when }] = inside(partsOf(info)[0]), [algorithm, imprint] = inside(stamped);
  if (inside(status)[0].body[0] > 1 || hashOf(algorithm) !== "sha256" || imprint.hex !== sha256(text)) return { problem: "it is not for this checkpoint" };
  const time = when.toString().replace(/^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\.\d+)?Z$/, "$1-$2-$3T$4:$5:$6$7Z");
  const pool = inside(certificates).map(({ all }) => new crypto.X509Certificate(all)), [, , hash, attributes, , signature] = inside(inside(rest.at(-1))[0]);
  const attribute = (oid) => inside(attributes).map(inside).find(([name]) => name.hex === oid)?.[1];
  const signed = Buffer.concat([Buffer.of(0x31), attributes.all.subarray(1)]);
  const isNamed = ({ raw }) => [["0c", "sha1"], ["2f", "sha256"]].some(([id, name]) => attribute(`2a864886f70d01091002${id}`)?.hex.includes(hashed(name, raw)));
  const isSigner = (one) => one.keyUsage?.includes("1.3.6.1.5.5.7.3.8") && isNamed(one) && crypto.verify(hashOf(hash), signed, one.publicKey, signature.body);
  const signer = pool.find(isSigner), isSound = signer && inside(attribute("2a864886f70d010904"))[0].hex === hashed(hashOf(hash), info);
  if (!isSound) return { time, problem: "its signature does not hold" };
  const isValid = (one) => Date.parse(one.validFrom) <= Date.parse(time) && Date.parse(time) <= Date.parse(one.validTo);
  const issuersOf = (one) => [...roots, ...pool].filter((other) => other.ca && one.checkIssued(other) && one.verify(other.publicKey));
  const isRoot = (one) => roots.some(({ raw }) => raw.equals(one.raw));
  const trusts = (one, depth = 0) => depth < 8 && isValid(one) && (isRoot(one) || issuersOf(one).some((other) => trusts(other, depth + 1)));
  return { time, authority: signer.subject.replaceAll("\n", ", "), trusted: trusts(signer) }; }
// ---- The whole check ----
function fileAt(path, what) {
  if (fs.statSync(path, { throwIfNoEntry: false })?.isFile()) return path; throw new Unusable(`"${path}" is not a file; name ${what}`, 2); }
const readFile = (path, what) => fs.readFileSync(fileAt(path, what), "utf8");
/** Checks a folder or pack with the keys in a file, and compares it with exports. Times are in ms. Throws `Unusable` if it cannot. */
export async function verifyEvidence({ evidence, key, exports: paths = [], trusted, columns, tsa, organization, since, until }) {
  const keys = key === undefined ? [] : readKeys(readFile(key, "the file of verifier keys"), key), source = openSource(evidence);
  const checkpoint = readCheckpoint((await source.bytes("checkpoint")).toString(), "checkpoint"), { origin, size, root } = checkpoint;
  const older = trusted === undefined ? undefined : readCheckpoint(readFile(trusted, "an older checkpoint"), trusted);
  const pems = tsa === undefined ? [] : readFile(tsa, "a PEM file").match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g);
  if (!pems) throw new Unusable(`"${tsa}" has no certificate in PEM form`, 2); const roots = pems.map((pem) => new crypto.X509Certificate(pem));
  const pack = source.has("pack.json") ? (parsed((await source.bytes("pack.json")).toString()) ?? {}) : {}, { period = {} } = pack;
  if (organization && pack.organization && organization !== pack.organization) throw new Unusable(`the pack is of "${pack.organization}"`, 2);
  const scope = { organization: organization ?? pack.organization, columns: columns ? parsed(readFile(columns, "a JSON file of columns")) : {}, uuids: true };
  const mapped = Object.values(scope.columns ?? [""]).every((to) => /^\/(organization_id$|event($|\/))/.test(to));
  if (!mapped) throw new Unusable(`"${columns}" must map names of columns to pointers such as "/event/action"`, 2);
  Object.assign(scope, { since: since ?? (Date.parse(period.since) || -Infinity), until: until ?? (Date.parse(period.until) || Infinity) });
  const exports = paths.map((name) => fileAt(name, "an export")).map((name) => ({ name, chunks: () => chunksOf(name) }));
  if (paths.length === 0 && pack.organization && source.has("export.csv")) exports.push({ name: "export.csv", chunks: () => source.chunks("export.csv") });
  const result = { ok: false, checkpoint: { origin, size, root }, digests: 0, events: 0, found: 0, missing: [], altered: [], unexpected: [], uncompared: 0 };
  Object.assign(result, { uncompared_fields: new Set(), foreign_rows: 0, chain: "", anchors: [], grade: "chained", exports: exports.map(({ name }) => name) });
  const faults = [], files = [], fault = (number, what) => void faults.push(`digest ${number}: ${what}`);
  const stamps = source.list("anchors").flatMap((file) => /^(\d{1,15})\.tsr$/.exec(file)?.[1] ?? []).map(Number).sort((one, other) => one - other); let before;
  const sums = await readLog(source, size, new Set([size, older?.size, ...stamps]), fault, async (number, bytes) => {
    const digest = parsed(bytes.toString()), wrong = digestFault(digest, bytes.toString(), number, before);
    before = { from: digest?.from, until: digest?.until, hash: sha256(bytes) }; result.digests++; if (wrong) return fault(number, wrong);
    for (const { id, ...rest } of digest.organizations) {
      const file = { number, organization: id, ...before, ...rest, path: `leaves/${number}/${encodeURIComponent(id)}.jsonl` };
      file.copies = `copies${file.path.slice(6)}.gz`;
      const elsewhere = (scope.organization ?? id) !== id || Date.parse(digest.until) <= scope.since || Date.parse(digest.from) >= scope.until;
      if (!source.has(file.path) && !elsewhere) fault(number, `"${file.path}" is missing`);
      if (source.has(file.path)) try {
        file.size = await checkLeaves(source, file, (what) => fault(number, what), (event) => (scope.uuids &&= !Number.isNaN(timeIn(event)))); files.push(file);
      } catch (error) { fault(number, `"${file.path}" or its copies cannot be read: ${error.message}`); }
    } });
  const rootAt = (at) => bytesOf(sums.get(at) ?? "").toString("base64"), sealed = rootAt(size) === root;
  if (!sealed && faults.length === 0) fault(size - 1, "the digests up to this one do not have the root of the checkpoint");
  await compare(source, files, exports, scope, fault, result);
  const logKeys = keys.filter(({ name, witness }) => name === origin && !witness), signed = signersOf(checkpoint, logKeys).length > 0;
  if (!signed && key !== undefined) faults.unshift(`the checkpoint of "${origin}" is not signed by a key in "${key}"`);
  if (older && (older.origin !== origin || signersOf(older, logKeys).length === 0)) faults.unshift(`"${trusted}" is not a checkpoint that this log signed`);
  else if (older && older.size > size) fault(size, `it and later ones were cut off; the trusted checkpoint has ${older.size} digests`);
  else if (older && rootAt(older.size) !== older.root) fault(older.size - 1, "it or one before it was changed since the trusted checkpoint");
  for (const at of stamps) {
    const text = at === size ? checkpoint.text : `${origin}\n${at}\n${rootAt(at)}\n`, bytes = await source.bytes(`anchors/${at}.tsr`);
    result.anchors.push({ kind: "timestamp", size: at, trusted: false, ...stampOf(bytes, text, roots) }); }
  const witnesses = signersOf(checkpoint, keys.filter((one) => !logKeys.includes(one)));
  result.anchors.push(...witnesses.map(({ name, seconds }) => ({ kind: "witness", size, trusted: true, name, time: isoOf(seconds * 1000) })));
  const anchored = (kind) => result.anchors.some((anchor) => anchor.kind === kind && anchor.trusted && anchor.size === size);
  if (signed && sealed) result.grade = anchored("witness") ? "witnessed" : anchored("timestamp") ? "timestamped" : "signed";
  result.chain = faults.length === 0 ? "ok" : faults.slice(0, 5).join("; ") + (faults.length > 5 ? `; and ${faults.length - 5} more` : "");
  result.ok = faults.length + result.missing.length + result.altered.length + result.unexpected.length === 0;
  return { ...result, uncompared_fields: result.uncompared > 0 ? [...result.uncompared_fields] : [] }; }
/** Returns the result as text for people. */
export function textOf(result) { const { checkpoint, missing, altered, unexpected, uncompared } = result;
  const more = (items) => (items.length > 20 ? ["  …"] : []), shown = (items) => [...items.slice(0, 20).map((item) => `  ${item}`), ...more(items)];
  const list = (what, items) => (items.length === 0 ? [] : [`${what}: ${items.length}`, ...shown(items)]);
  const exports = result.exports.join(", "), found = `${result.found} found in ${exports}; ${result.foreign_rows} other rows`;
  const compared = exports === "" ? "not compared, because there is no export" : found;
  const states = (anchor) => [`${anchor.size} digests`, anchor.trusted ? "trusted" : "not trusted", anchor.problem];
  const lineOf = (anchor) => [anchor.kind, anchor.name ?? anchor.authority, anchor.time, ...states(anchor)].filter(Boolean).join(", ");
  const lines = [`log: ${checkpoint.origin}, ${result.digests} digests, grade "${result.grade}"`, `chain: ${result.chain}`, ...result.anchors.map(lineOf)];
  lines.push(`events: ${result.events}, ${compared}`, ...list("missing from the export", missing));
  if (uncompared > 0) lines.push(`found, but not compared in every field: ${uncompared}`, ...shown(result.uncompared_fields));
  lines.push(...list("altered", altered.map(({ event_id: id, fields }) => [id, ...fields].join(" "))));
  lines.push(...list("unexpected: in no digest, or twice in the export", unexpected), result.ok ? "ok: nothing was removed, changed or added" : "NOT OK");
  return lines.join("\n").replace(/[^\P{C}\n]/gu, "?"); }
async function main(args) { const names = ["evidence", "key", "trusted", "columns", "tsa", "organization", "since", "until", "export"];
  const options = Object.fromEntries(names.map((name) => [name, { type: "string", multiple: name === "export" }]));
  const parse = () => parseArgs({ args, options: { ...options, json: { type: "boolean" } }, allowPositionals: true });
  const { values: { json, export: exports, ...values }, positionals: [evidence] } = parse();
  const usage = `usage: verify.mjs <folder or pack.zip> --key <file> [--${names.slice(2).join(" …] [--")} …]… [--json]`;
  if (!values.key || !(values.evidence ?? evidence)) throw new Unusable(usage, 2);
  for (const name of ["since", "until"]) {
    if (name in values) values[name] = Date.parse(values[name]);
    if (Number.isNaN(values[name])) throw new Unusable(`"--${name}" must be a time such as 2026-11-30T10:00:00Z`, 2); }
  const result = await verifyEvidence({ evidence, ...values, exports }); process.stdout.write(`${json ? JSON.stringify(result, null, 2) : textOf(result)}\n`);
  process.exitCode = result.ok ? 0 : 1; }
// The CLI's bundle holds this code, too, but starts differently.
const started = process.argv[1] && import.meta.url === pathToFileURL(fs.realpathSync(process.argv[1])).href && fs.readFileSync(process.argv[1], "utf8");
if (started && started.slice(0, 80).includes("Checks evidence of the audit forwarder")) main(process.argv.slice(2)).catch((error) => {
  const code = error instanceof Unusable ? error.code : String(error.code).startsWith("ERR_PARSE_ARGS") ? "wrong_use" : "internal", { message } = error;
  process.stderr.write(`error[${code}]: ${message}\n`);
  if (process.argv.includes("--json")) process.stdout.write(`${JSON.stringify({ error: { code, message } }, null, 2)}\n`);
  process.exitCode = code === "wrong_use" ? 2 : 1; });
