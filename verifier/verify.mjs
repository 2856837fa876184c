#!/usr/bin/env node
// Checks evidence of the audit forwarder offline, and compares it with exports of WorkOS.
//
//   node verify.mjs <folder or pack.zip> --key audit-evidence.pub [--export export.csv]…
//
// It needs Node 20 or later, no packages and no network. It trusts only the key file that you name.
// docs/evidence.md explains the options and the answer. Read this file from the top; `verifyEvidence` runs the checks
// in the order of the sections:
//
//   1. The whole check    the order of the checks, and the verdict
//   2. Log                digests against the root in the checkpoint    RFC 6962, C2SP tlog-tiles
//   3. Digests            numbers, times and the chain of hashes        RFC 8785
//   4. Leaves             the events of each digest, and their copies   RFC 6962
//   5. Exports            missing, altered and unexpected events
//   6. Rows of an export  from columns to the fields of an event        RFC 6901
//   7. Match              a row against its leaf                        RFC 8785
//   8. Checkpoints        signatures of the log and of witnesses        C2SP signed-note, tlog-cosignature
//   9. Time stamps        tokens of a time stamp authority              RFC 3161, RFC 5652
//
// The rest reads the input and prints the answer: 10. Hashes and JSON, 11. Files, 12. Lines and CSV, 13. Command line.
// Events are not kept in memory, only 60 bytes for each, so that a log of millions can be checked.
import * as crypto from "node:crypto";
import * as fs from "node:fs";
import * as zlib from "node:zlib";
import { pipeline, Readable } from "node:stream";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

/** The input cannot be checked. Exit code 2: an argument is wrong. Exit code 1: a file is broken. */
export class Unusable extends Error {
  constructor(message, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
    this.code = exitCode === 2 ? "wrong_use" : "unreadable";
  }
}

// ==== 1. The whole check (docs/evidence.md, "What it proves" and "What the answer means") ====

/** Checks a folder or pack, and compares it with exports. Times are in ms. Throws `Unusable` if it cannot. */
export async function verifyEvidence(options) {
  const input = await readInput(options);
  const { checkpoint, exports } = input;
  const result = emptyResult(checkpoint, exports);
  const faults = [];
  const report = (number, what) => faults.push(`digest ${number}: ${what}`);

  // The log, its digests and their leaves. The root that they have must be the root in the checkpoint.
  const log = await checkLog(input, result, report);
  const rootAt = (size) => Buffer.from(log.roots.get(size) ?? "", "hex").toString("base64");
  const hasRoot = rootAt(checkpoint.size) === checkpoint.root;
  if (!hasRoot && faults.length === 0) {
    report(checkpoint.size - 1, "the digests up to this one do not have the root of the checkpoint");
  }

  await compareExports(input, log, report, result);

  // The signature, and an older checkpoint that the log must continue.
  const logKeys = input.keys.filter(({ name, isWitness }) => name === checkpoint.origin && !isWitness);
  const isSigned = signersOf(checkpoint, logKeys).length > 0;
  if (!isSigned && options.key !== undefined) {
    faults.unshift(`the checkpoint of "${checkpoint.origin}" is not signed by a key in "${options.key}"`);
  }
  if (input.older !== undefined) {
    checkContinues(input.older, options.trusted, { checkpoint, logKeys, rootAt, faults, report });
  }

  // Time stamps and witnesses.
  result.anchors.push(...(await timeStampsOf(input, rootAt)));
  result.anchors.push(...witnessesOf(input, logKeys));

  if (isSigned && hasRoot) result.grade = gradeOf(result.anchors, checkpoint.size);
  result.chain = chainOf(faults);
  result.ok = faults.length + result.missing.length + result.altered.length + result.unexpected.length === 0;
  const uncomparedFields = result.uncompared > 0 ? [...result.uncompared_fields] : [];
  return { ...result, uncompared_fields: uncomparedFields };
}

/** Reads the small files and checks the options. Digests, leaves and exports are read later, piece by piece. */
async function readInput(options) {
  const { evidence, key, trusted, columns, tsa, organization, since, until, exports: paths = [] } = options;
  const keys = key === undefined ? [] : readKeys(readFile(key, "the file of verifier keys"), key);
  const source = openSource(evidence);
  const checkpoint = readCheckpoint((await source.bytes("checkpoint")).toString(), "checkpoint");
  const older = trusted === undefined ? undefined : readCheckpoint(readFile(trusted, "an older checkpoint"), trusted);
  const authorities = tsa === undefined ? [] : readCertificates(tsa);

  const pack = source.has("pack.json") ? (parsed((await source.bytes("pack.json")).toString()) ?? {}) : {};
  const { period = {} } = pack;
  if (organization && pack.organization && organization !== pack.organization) {
    throw new Unusable(`the pack is of "${pack.organization}"`, 2);
  }
  const columnMap = columns ? readColumnMap(columns) : {};
  // The events that the export should have. `since` is inclusive, `until` exclusive.
  const scope = {
    organization: organization ?? pack.organization,
    since: since ?? (Date.parse(period.since) || -Infinity),
    until: until ?? (Date.parse(period.until) || Infinity),
  };

  const exports = paths
    .map((path) => fileAt(path, "an export"))
    .map((path) => ({ name: path, chunks: () => chunksOf(path) }));
  if (paths.length === 0 && pack.organization && source.has("export.csv")) {
    exports.push({ name: "export.csv", chunks: () => source.chunks("export.csv") });
  }
  return { source, keys, checkpoint, older, authorities, scope, columnMap, exports, stampSizes: stampSizesOf(source) };
}

function readCertificates(path) {
  const pems = readFile(path, "a PEM file").match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g);
  if (!pems) throw new Unusable(`"${path}" has no certificate in PEM form`, 2);
  return pems.map((pem) => new crypto.X509Certificate(pem));
}

function readColumnMap(path) {
  const map = parsed(readFile(path, "a JSON file of columns"));
  if (!Object.values(map ?? [""]).every((pointer) => /^\/(organization_id$|event($|\/))/.test(pointer))) {
    throw new Unusable(`"${path}" must map names of columns to pointers such as "/event/action"`, 2);
  }
  return map;
}

/** The answer before the first check, with its fields in the order in which `--json` prints them. */
function emptyResult({ origin, size, root }, exports) {
  return {
    ok: false,
    checkpoint: { origin, size, root },
    digests: 0,
    events: 0,
    found: 0,
    missing: [],
    altered: [],
    unexpected: [],
    uncompared: 0,
    uncompared_fields: new Set(),
    foreign_rows: 0,
    chain: "",
    anchors: [],
    grade: "chained",
    exports: exports.map(({ name }) => name),
  };
}

/** The log must continue a checkpoint that you kept: same log, signed, no shorter, and the same digests up to it. */
function checkContinues(older, path, { checkpoint, logKeys, rootAt, faults, report }) {
  if (older.origin !== checkpoint.origin || signersOf(older, logKeys).length === 0) {
    faults.unshift(`"${path}" is not a checkpoint that this log signed`);
  } else if (older.size > checkpoint.size) {
    report(checkpoint.size, `it and later ones were cut off; the trusted checkpoint has ${older.size} digests`);
  } else if (rootAt(older.size) !== older.root) {
    report(older.size - 1, "it or one before it was changed since the trusted checkpoint");
  }
}

/** The grade of a log with a sound signature: docs/evidence.md, "Who could do what, and what would show it". */
function gradeOf(anchors, size) {
  const isAnchored = (kind) => anchors.some((anchor) => anchor.kind === kind && anchor.trusted && anchor.size === size);
  if (isAnchored("witness")) return "witnessed";
  return isAnchored("timestamp") ? "timestamped" : "signed";
}

function chainOf(faults) {
  if (faults.length === 0) return "ok";
  const rest = faults.length > 5 ? `; and ${faults.length - 5} more` : "";
  return faults.slice(0, 5).join("; ") + rest;
}

// ==== 2. Log: RFC 6962, section 2.1, and https://c2sp.org/tlog-tiles ====

/**
 * Checks all digests, their leaves and the tiles. Returns the roots of the log at the sizes that matter, the files of
 * leaves that can be read, and whether all event ids are UUIDs with a time.
 */
async function checkLog({ source, checkpoint, older, stampSizes, scope }, result, report) {
  const log = { roots: new Map([[0, sha256("")]]), files: [], hasUuids: true };
  const sizes = new Set([checkpoint.size, older?.size, ...stampSizes]);
  const tree = new Tree();
  const hashes = [];
  let before;

  for (let first = 0; first < checkpoint.size; first += TILE_WIDTH) {
    const tile = await readEntries(source, first, Math.min(TILE_WIDTH, checkpoint.size - first));
    for (const entry of tile.entries) {
      const number = hashes.length;
      const hash = leafOf(entry);
      hashes.push(hash);
      tree.add(hash);
      if (sizes.has(tree.size)) log.roots.set(tree.size, tree.root());

      const digest = parsed(entry.toString());
      const wrong = digestFault(digest, entry.toString(), number, before);
      before = { from: digest?.from, until: digest?.until, hash: sha256(entry) };
      result.digests++;
      if (wrong) report(number, wrong);
      else await checkDigestLeaves(source, digest, scope, report, log);
    }
    if (tile.missing) {
      report(hashes.length, tile.missing);
      return log;
    }
    if (tile.surplus) report(hashes.length - 1, tile.surplus);
  }
  await checkTiles(source, hashes, report);
  return log;
}

const TILE_WIDTH = 256;

/** Reads the entries of one tile: each has its length in two bytes in front. */
async function readEntries(source, first, count) {
  const path = tilePath("entries", first / TILE_WIDTH, count);
  if (!source.has(path)) return { entries: [], missing: `"${path}" is missing` };
  const bytes = await source.bytes(path);
  const entries = [];
  let start = 0;
  while (entries.length < count) {
    const end = start + 2 > bytes.length ? Infinity : start + 2 + bytes.readUInt16BE(start);
    if (end > bytes.length) return { entries, missing: `"${path}" ends before it` };
    entries.push(bytes.subarray(start + 2, end));
    start = end;
  }
  return { entries, surplus: start < bytes.length ? `"${path}" holds bytes behind the last entry` : undefined };
}

/** Compares the tiles of hashes with the entries. Each level holds the roots of the full tiles of the level below. */
async function checkTiles(source, hashes, report) {
  let row = hashes;
  for (let level = 0; row.length > 0; level++) {
    const above = [];
    for (let first = 0; first < row.length; first += TILE_WIDTH) {
      const tile = row.slice(first, first + TILE_WIDTH);
      const path = tilePath(level, first / TILE_WIDTH, tile.length);
      const number = first * TILE_WIDTH ** level;
      if (!source.has(path)) report(number, `"${path}" is missing`);
      else if (!(await source.bytes(path)).equals(Buffer.from(tile.join(""), "hex"))) {
        report(number, `"${path}" differs from the entries`);
      }
      if (tile.length === TILE_WIDTH) above.push(rootOf(tile));
    }
    row = above;
  }
}

/** Tile 1234067 of level 0 is `tile/0/x001/x234/067`; a tile that is not full has its width at the end: `.p/5`. */
function tilePath(level, number, width) {
  const digits = String(number);
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, "0").replace(/\d{3}(?=\d)/g, "x$&/");
  return `tile/${level}/${groups}${width < TILE_WIDTH ? `.p/${width}` : ""}`;
}

/** An RFC 6962 tree that grows. `peaks` holds the roots of its complete subtrees, the largest first. */
export class Tree {
  size = 0;
  peaks = [];

  add(hash) {
    let peak = hash;
    // Each 1 at the end of the size in binary is a complete subtree that the new leaf completes to a larger one.
    for (let rest = this.size; rest % 2 === 1; rest = (rest - 1) / 2) peak = nodeOf(this.peaks.pop(), peak);
    this.peaks.push(peak);
    this.size++;
    return this;
  }

  root() {
    if (this.size === 0) return sha256("");
    return this.peaks.reduceRight((right, left) => nodeOf(left, right));
  }
}

function rootOf(hashes) {
  const tree = new Tree();
  for (const hash of hashes) tree.add(hash);
  return tree.root();
}

// ==== 3. Digests (docs/evidence.md, "What it proves") ====

const QUARTER = /^\d{4}-\d\d-\d\dT\d\d:(00|15|30|45):00\.000Z$/;
const QUARTER_MS = 900_000;
const MOST_ORGANIZATIONS = 400;

/** Returns what is wrong with a digest, or undefined. `before` is the digest before it. */
function digestFault(digest, text, number, before) {
  const { v, from, until, previous, organizations } = digest ?? {};
  if (v !== 1 || canonical(digest) !== text) return "is not RFC 8785 JSON of version 1";
  if (digest.number !== number) return `has the number ${digest.number}`;
  if (previous !== (before ? before.hash : null)) {
    return 'has a "previous" that is not the hash of the digest before it';
  }
  if (!QUARTER.test(from) || !QUARTER.test(until) || Date.parse(until) - Date.parse(from) !== QUARTER_MS) {
    return "does not cover a quarter of an hour";
  }
  // A quarter with many organizations has several digests with the same times.
  if (before && from !== before.until && from !== before.from) {
    return `begins at ${from}, but the digest before it ends at ${before.until}`;
  }
  if (!Array.isArray(organizations) || !areSorted(organizations)) {
    return 'has "organizations" that are wrong or not sorted';
  }
  return undefined;
}

function areSorted(organizations) {
  if (organizations.length > MOST_ORGANIZATIONS) return false;
  return organizations.every((one, at) => isOrganization(one) && (at === 0 || organizations[at - 1].id < one.id));
}

/** The id becomes a part of a path, so "." and ".." are refused. */
function isOrganization({ id, events, root }) {
  return /^(?!\.{1,2}$)\P{Cs}{1,500}$/u.test(id) && events > 0 && /^[0-9a-f]{64}$/.test(root);
}

// ==== 4. Leaves: RFC 6962, section 2.1 ====
// The leaf of an event is SHA-256(0x00 ‖ body). The body is `{organization_id, event}` as RFC 8785 JSON.

/** Checks the leaves of each organization in a digest. A pack lacks those of other organizations on purpose. */
async function checkDigestLeaves(source, digest, scope, report, log) {
  const { number, from, until } = digest;
  for (const { id, events, root } of digest.organizations) {
    const name = `${number}/${encodeURIComponent(id)}.jsonl`;
    const file = {
      number,
      organization: id,
      from,
      until,
      events,
      root,
      path: `leaves/${name}`,
      copies: `copies/${name}.gz`,
    };
    if (source.has(file.path)) await checkLeafFile(source, file, report, log);
    else if (isInScope(scope, file) && isInPeriod(scope, file)) report(number, `"${file.path}" is missing`);
  }
}

async function checkLeafFile(source, file, report, log) {
  try {
    const size = await checkLeaves(source, file, report, log);
    log.files.push({ ...file, size });
  } catch (error) {
    report(file.number, `"${file.path}" or its copies cannot be read: ${error.message}`);
  }
}

/** Checks leaves against their root and copies against leaves. Returns the number of leaves. */
async function checkLeaves(source, { number, path, copies, root, events }, report, log) {
  const tree = new Tree();
  const leaves = [];
  const hasCopies = source.has(copies);
  for await (const batch of leavesOf(source, path)) {
    for (const { id, leaf } of batch) {
      tree.add(leaf);
      if (hasCopies) leaves.push(leaf);
      log.hasUuids &&= !Number.isNaN(timeIn(id));
    }
  }
  if (tree.root() !== root || tree.size !== events) {
    report(number, `"${path}" does not hold the ${events} leaves of its root`);
  }
  if (hasCopies) await checkCopies(source, copies, leaves, (what) => report(number, what));
  return tree.size;
}

/** An empty line stands for a copy that was erased: docs/evidence.md, "Retention and deletion". */
async function checkCopies(source, path, leaves, report) {
  let line = 0;
  for await (const bodies of copiesOf(source, path)) {
    for (const body of bodies) {
      line++;
      if (body !== "" && leaves[line - 1] !== leafOf(body)) report(`"${path}" differs from the leaf in line ${line}`);
    }
  }
}

/** Yields the leaves of a file in batches. Each line names an event and its leaf. */
async function* leavesOf(source, path) {
  for await (const lines of linesOf(source.chunks(path))) yield lines.map(leafIn);
}

function leafIn(line) {
  const [, id, leaf] = /^\{"event_id":"([^"\\\p{Cc}]+)","leaf":"([0-9a-f]{64})"\}$/u.exec(line) ?? [];
  if (id === undefined) throw new Unusable(`it has a line that is not {"event_id":"…","leaf":"…"}`);
  return { id, leaf };
}

function copiesOf(source, path) {
  return linesOf(pipeline(streamOf(source.chunks(path)), zlib.createGunzip(), ignoreEnd));
}

// ==== 5. Exports (docs/evidence.md, "What the answer means") ====

/** What is known about an event so far. DIFFERS becomes ALTERED or UNCOMPARED at the end of its export. */
const UNSEEN = 0;
const SAME = 1;
const DIFFERS = 2;
const ALTERED = 3;
const UNCOMPARED = 4;
const OUTSIDE = 5;

/** Rows that differ are kept to name their fields later, up to this number. */
const MOST_KEPT_ROWS = 10_000;

/** Compares the events of the log with the exports, and adds what it finds to `result`. */
async function compareExports({ source, exports, scope, columnMap }, { files, hasUuids }, report, result) {
  const events = await indexEvents(source, files, report);
  const comparison = { source, files, events, scope, hasUuids, columnMap, kept: new Map(), result };
  for (const one of exports) await compareExport(one, comparison);
  const fields = await compareCopies(comparison);
  await countEvents(comparison, fields, exports.length > 0);
}

/** Indexes all events of the log. An event belongs to exactly one digest. */
async function indexEvents(source, files, report) {
  const events = new EventIndex(files.reduce((sum, { size }) => sum + size, 0));
  await eachEvent(source, files, (file, id, leaf, at) => {
    const earlier = events.add(id, leaf, at);
    if (earlier < 0) return;
    report(file.number, `event ${id} is also in digest ${files[events.fileAt[earlier]].number}`);
  });
  return events;
}

/** Calls `visit(file, id, leaf, at)` for each event of the log; `at` is the place of its file in `files`. */
async function eachEvent(source, files, visit) {
  for (const [at, file] of files.entries()) {
    for await (const batch of leavesOf(source, file.path)) {
      for (const { id, leaf } of batch) visit(file, id, leaf, at);
    }
  }
}

/** The events by id, in flat memory. An event has a slot: its place in the arrays. */
class EventIndex {
  #used = 0;

  constructor(room) {
    // Of each id, 16 bytes of its hash.
    this.ids = Buffer.alloc(room * 16);
    this.leaves = Buffer.alloc(room * 32);
    this.fileAt = new Uint32Array(room);
    this.state = new Uint8Array(room);
    // A hash table with open addressing; 0 is free, and other numbers are a slot + 1.
    this.table = new Int32Array(2 ** Math.ceil(Math.log2(2 * room + 2)));
  }

  /** Adds an event. Returns -1, or the slot of an event with the same id that is there already. */
  add(id, leaf, file) {
    const key = idKeyOf(id);
    const place = this.#placeOf(key);
    if (this.table[place] !== 0) return this.table[place] - 1;
    const slot = this.#used++;
    this.ids.write(key, slot * 16, "hex");
    this.leaves.write(leaf, slot * 32, "hex");
    this.fileAt[slot] = file;
    this.table[place] = slot + 1;
    return -1;
  }

  /** Returns the slot of an event, or -1. */
  slotOf(id) {
    return this.table[this.#placeOf(idKeyOf(id))] - 1;
  }

  leafAt(slot) {
    return this.leaves.toString("hex", slot * 32, slot * 32 + 32);
  }

  /** Returns the place in the table where an id is, or where it would be added. */
  #placeOf(key) {
    let place = Number.parseInt(key.slice(0, 8), 16) % this.table.length;
    while (this.table[place] !== 0 && this.#keyAt(this.table[place] - 1) !== key) {
      place = (place + 1) % this.table.length;
    }
    return place;
  }

  #keyAt(slot) {
    return this.ids.toString("hex", slot * 16, slot * 16 + 16);
  }
}

function idKeyOf(id) {
  return sha256(id).slice(0, 32);
}

/** Compares one export. What differs counts as altered only if the export has the fields to be sure. */
async function compareExport({ name, chunks }, comparison) {
  const { events, columnMap, result } = comparison;
  const seen = new Set();
  const has = (pointer) => pointer !== "" && (seen.has(pointer) || has(pointer.slice(0, pointer.lastIndexOf("/"))));
  let hasMatch = false;
  try {
    for await (const rows of rowsOf(chunks, columnMap, seen)) {
      for (const row of rows) hasMatch = judgeRow(row, has, comparison) || hasMatch;
    }
  } catch (error) {
    throw new Unusable(`"${name}" cannot be read: ${error.message}`, error.exitCode);
  }

  const lacking = NEEDED_FIELDS.filter((pointer) => !has(pointer));
  const hasWholes = ["/event/actor", "/event/targets", "/event/metadata"].every(has);
  const isSure = lacking.length === 0 && (hasMatch || hasWholes);
  for (const pointer of lacking) result.uncompared_fields.add(pointer);
  events.state.forEach((state, slot) => {
    if (state === DIFFERS) events.state[slot] = isSure ? ALTERED : UNCOMPARED;
  });
}

/** Without these fields an export cannot show that an event is as it was delivered. */
const NEEDED_FIELDS = [
  "/event/action",
  "/event/occurred_at",
  "/event/actor/id",
  "/event/actor/type",
  "/event/actor/name",
  "/event/targets/0/id",
  "/event/targets/0/type",
  "/event/context/location",
  "/event/context/user_agent",
  "/event/metadata/event_id",
];

/** Decides what a row says about its event. Returns whether the row gives the event's leaf. */
function judgeRow(row, has, comparison) {
  const { files, events, scope, kept, result } = comparison;
  const slot = row.id === undefined ? -1 : events.slotOf(row.id);
  const file = files[events.fileAt[slot]];
  const isTimely = isInTime(scope, row.ms);
  if (slot < 0 || !isInScope(scope, file)) {
    if (isTimely) judgeStranger(row, file, comparison);
    return false;
  }

  const verdict = match(row, file.organization, events.leafAt(slot));
  if (events.state[slot] !== UNSEEN && isTimely) result.unexpected.push(row.id);
  if (verdict === "guessed") result.uncompared_fields.add("/event/version");
  if (verdict === "same" || verdict === "guessed") {
    const state = verdict === "same" ? SAME : UNCOMPARED;
    events.state[slot] = isTimely ? state : OUTSIDE;
    return true;
  }
  // A true row wins over a forged one, so a row that differs counts only for an event that has no row yet.
  if (events.state[slot] === UNSEEN && (isTimely || isExpected(scope, row.id, file))) {
    events.state[slot] = verdict === "open" ? UNCOMPARED : DIFFERS;
    if (kept.size < MOST_KEPT_ROWS) kept.set(slot, { row, has });
  }
  return false;
}

/** A row of no event in question is unexpected if it looks like one of ours, and foreign otherwise. */
function judgeStranger(row, file, { scope, hasUuids, result }) {
  const { organization } = scope;
  const isElsewhere =
    organization !== undefined && (row.organization ?? file?.organization ?? organization) !== organization;
  const looksLikeOurs = row.hasMark || !hasUuids || UUID.test(row.id);
  if (row.id === undefined || isElsewhere || !looksLikeOurs) result.foreign_rows++;
  else result.unexpected.push(row.id);
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(:\w+)?$/i;

function isInScope(scope, file) {
  return (scope.organization ?? file.organization) === file.organization;
}

function isInTime({ since, until }, ms) {
  return Number.isNaN(ms) || (ms >= since && ms < until);
}

/** Whether the quarter of a digest touches the period in question. */
function isInPeriod({ since, until }, file) {
  return Date.parse(file.until) > since && Date.parse(file.from) < until;
}

/** Whether the export should have an event, by the time in its id or else by the quarter of its digest. */
function isExpected(scope, id, file) {
  const ms = timeIn(id);
  return Number.isNaN(ms) ? isInPeriod(scope, file) : isInTime(scope, ms);
}

/** Compares kept rows with copies, and corrects their states. Returns by slot the fields that were altered. */
async function compareCopies({ source, files, events, kept }) {
  const fields = new Map();
  const slots = new Map([...kept.keys()].map((slot) => [events.leafAt(slot), slot]));
  const compareCopy = (body) => {
    const slot = slots.get(leafOf(body));
    if (events.state[slot] !== ALTERED && events.state[slot] !== UNCOMPARED) return;
    const { row, has } = kept.get(slot);
    const differing = differencesFromCopy(row, JSON.parse(body));
    const altered = differing.filter(has);
    fields.set(slot, altered);
    events.state[slot] = differing.length > 0 ? UNCOMPARED : SAME;
    if (altered.length > 0) events.state[slot] = ALTERED;
  };
  for (const { copies } of new Set([...kept.keys()].map((slot) => files[events.fileAt[slot]]))) {
    if (!source.has(copies)) continue;
    for await (const bodies of copiesOf(source, copies)) bodies.forEach(compareCopy);
  }
  return fields;
}

/** Returns the pointers at which a row differs from the copy, with the most favourable reading of each cell. */
function differencesFromCopy({ cells }, copy) {
  const valueAt = (pointer) => keysOf(pointer).reduce((node, key) => node?.[key], copy);
  const picks = cells.map(({ pointer, options }) => {
    const fitting = options.findIndex((option) => differences(option, valueAt(pointer)).length === 0);
    return Math.max(0, fitting);
  });
  return differences(copy, { organization_id: copy.organization_id, ...bodyOf(cells, picks) });
}

/** Counts the events that the export should have or has, and lists those that are missing or altered. */
async function countEvents({ source, files, events, scope, result }, fields, hasExport) {
  await eachEvent(source, files, (file, id) => {
    const slot = events.slotOf(id);
    const state = events.state[slot];
    // An event that the evidence names twice is one event.
    events.state[slot] = OUTSIDE;
    if (state === OUTSIDE) return;
    if (state === UNSEEN && !(isInScope(scope, file) && isExpected(scope, id, file))) return;
    result.events++;
    if (state !== UNSEEN) result.found++;
    else if (hasExport) result.missing.push(id);
    if (state === UNCOMPARED) result.uncompared++;
    if (state === ALTERED) result.altered.push({ event_id: id, fields: fields.get(slot) ?? [] });
  });
}

// ==== 6. Rows of an export (docs/evidence.md, "What the answer means": "found, but not compared") ====
// WorkOS does not document the columns of its export, so this part knows all usual names. A row becomes a list of
// cells. A cell has a pointer (RFC 6901) into `{organization_id, event}`, and the values that its text may stand for.

/** Reads an export in batches of rows, and adds the fields that it has to `seen`. */
async function* rowsOf(chunks, columnMap, seen) {
  const isJson = /^(\uFEFF)?\s*\{/.test(await firstTextOf(chunks()));
  const columnsFor = memo((key, names) => columnsOf(names, columnMap));
  for await (const rows of isJson ? jsonRowsOf(chunks()) : tableRowsOf(chunks())) {
    yield rows.map(({ names, values }) => {
      const columns = columnsFor(names.join("\0"), names);
      const cells = columns.map((column) => cellOf(column, values[column.at], isJson));
      for (const { pointer, options } of cells) if (!WHOLE.test(pointer) || options[0]) seen.add(pointer);
      return rowOf(cells);
    });
  }
}

async function firstTextOf(chunks) {
  for await (const chunk of chunks) {
    if (chunk.length > 0) return chunk.toString();
  }
  return "";
}

const DAMAGED_ROW = "it has a row that is cut short or damaged";

async function* jsonRowsOf(chunks) {
  for await (const lines of linesOf(chunks)) {
    yield lines
      .filter((line) => line.trim() !== "")
      .map((line) => {
        const row = parsed(line);
        if (typeof row !== "object") throw new Unusable(DAMAGED_ROW);
        return { names: Object.keys(row ?? {}), values: Object.values(row ?? {}) };
      });
  }
}

async function* tableRowsOf(chunks) {
  let names;
  for await (const rows of csvRowsOf(chunks)) {
    names ??= rows.shift();
    yield rows.map((values) => {
      if (values.length !== names.length) throw new Unusable(DAMAGED_ROW);
      return { names, values };
    });
  }
}

/** Fields that an event has as numbers. Other fields of its metadata are more often texts. */
const NUMBERS = new Set([
  "/event/metadata/http_status",
  "/event/metadata/duration_ms",
  "/event/metadata/request_count",
  "/event/metadata/sequence",
  "/event/metadata/record_v",
]);

/** Fields that are objects or lists. */
const WHOLE = /^\/event(\/(actor|targets|context|metadata|actor\/metadata|targets\/\d+|targets\/\d+\/metadata))?$/;

/** Usual names of columns, in lower case and without signs. */
const COLUMN_NAMES = {
  "/organization_id": ["organizationid", "organization", "organisationid", "organisation", "orgid", "org"],
  "/event/action": ["action", "actionname", "eventname", "eventtype"],
  "/event/occurred_at": ["occurredat", "occurred", "timestamp", "datetime", "date", "time"],
  "/event/version": ["version", "actionversion", "schemaversion"],
  "/event/context/location": ["location", "contextlocation", "ip", "ipaddress"],
  "/event/context/user_agent": ["useragent", "contextuseragent"],
  "/event/actor": ["actor"],
  "/event/context": ["context"],
  "/event/metadata": ["metadata"],
  "/event/targets": ["targets", "target"],
  "/event/actor/id": ["actorid"],
  "/event/actor/type": ["actortype"],
  "/event/actor/name": ["actorname"],
  "/event/actor/metadata": ["actormetadata"],
};

const POINTERS = new Map(
  Object.entries(COLUMN_NAMES).flatMap(([pointer, names]) => names.map((name) => [name, pointer])),
);

/** A column "event" holds the whole event, or its action. Only the value shows which. */
const EVENT_OR_ACTION = "/event|action";

/** Maps columns to fields. Of two columns for one field it takes the first, and a whole field before its parts. */
function columnsOf(names, columnMap) {
  const pointers = names.map((name) => (Object.hasOwn(columnMap, name) ? columnMap[name] : pointerOf(name)));
  const hasMetadata = pointers.some((pointer) => pointer?.startsWith("/event/metadata"));
  const hasAction = pointers.includes("/event/action");
  names.forEach((name, at) => {
    if (name === "event") pointers[at] ??= hasAction ? "/event" : EVENT_OR_ACTION;
    if (name === "data") pointers[at] ??= "/event";
    if (name === "event_id" && !hasMetadata) pointers[at] ??= "/event/metadata/event_id";
  });
  const isPart = (pointer) => pointers.some((other) => pointer.startsWith(`${other}/`));
  return pointers
    .map((pointer, at) => ({ at, pointer, type: NUMBERS.has(pointer) ? "number" : "string" }))
    .filter(({ at, pointer }) => pointer && pointers.indexOf(pointer) === at && !isPart(pointer));
}

/** Returns the field that a column with this name holds, or undefined. */
function pointerOf(name) {
  const inMetadata = /^\s*(?:(?:event|data)[ _./-]+)?(actor[ _./-]*)?metadata(?:__|[ _./:-]|\[)(.+?)\]?\s*$/i;
  const [, actor, key] = inMetadata.exec(name) ?? [];
  if (key) return `/event/${actor ? "actor/" : ""}metadata/${escaped(key)}`;

  const plain = name.toLowerCase().replace(/[^a-z0-9]+/g, "");
  const bare = plain.replace(/^(event|data)(?=.)/, "");
  const known = POINTERS.get(plain) ?? POINTERS.get(bare);
  if (known) return known;

  const [, at, field] = /^targets?(\d{0,2})(id|type|name|metadata)?$/.exec(bare) ?? [];
  if (!at && !field) return undefined;
  return `/event/targets/${Number(at)}${field ? `/${field}` : ""}`;
}

/** In CSV a text may be a number or a boolean, and an empty text may be no value. The first option is the likeliest. */
function cellOf(column, value, isTyped) {
  const json = typeof value === "string" && /^\s*[{[]/.test(value) ? parsed(value) : value;
  const isWhole = typeof json === "object" && json !== null;
  let { pointer } = column;
  if (pointer === EVENT_OR_ACTION) pointer = isWhole ? "/event" : "/event/action";
  return { column, pointer, options: optionsOf(pointer, value, isWhole ? json : undefined, isTyped) };
}

function optionsOf(pointer, value, whole, isTyped) {
  if (WHOLE.test(pointer)) return [whole];
  if (typeof value !== "string") return [value ?? undefined];
  if (pointer === "/event/occurred_at") {
    return /^.{10}T.{8}\.\d{3}Z$/.test(value) ? [value] : [value, isoOf(Date.parse(value))];
  }
  if (isTyped) return [value];
  if (value === "") return [undefined, ""];
  if (pointer === "/event/version") return [Number(value)];
  if (!pointer.includes("/metadata/")) return [value];
  if (/^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(value)) return [value, Number(value)];
  if (/^(true|false)$/i.test(value)) return [value, /^t/i.test(value)];
  return [value];
}

/** Returns the cells of a row with its event id, time and organization. `hasMark` is true if the forwarder wrote it. */
function rowOf(cells) {
  const cellAt = (pointer) => cells.find((cell) => cell.pointer === pointer);
  const valueAt = (pointer) => cellAt(pointer)?.options[0];
  const event = valueAt("/event") ?? {
    metadata: valueAt("/event/metadata"),
    occurred_at: valueAt("/event/occurred_at"),
  };
  const id = event.metadata?.event_id ?? valueAt("/event/metadata/event_id");
  const mark = event.metadata?.record_v ?? valueAt("/event/metadata/record_v");
  const ms = Date.parse(event.occurred_at);
  // A time that was cut to seconds is read as the time in the event id, if both lie in the same second.
  if (ms % 1000 === 0 && Math.floor(timeIn(id) / 1000) * 1000 === ms) {
    cellAt("/event/occurred_at")?.options.push(isoOf(timeIn(id)));
  }
  return {
    cells,
    id: typeof id === "string" ? id : undefined,
    ms,
    hasMark: mark !== undefined,
    organization: valueAt("/organization_id"),
  };
}

/** Builds the body of an event from cells. `picks` says which option of each cell to take. */
function bodyOf(cells, picks) {
  const body = Object.create(null);
  cells.forEach(({ pointer, options }, cell) => {
    const value = options[picks[cell]];
    if (value === undefined) return;
    const keys = keysOf(pointer);
    const parent = keys.slice(0, -1).reduce(childOf, body);
    parent[keys.at(-1)] = value;
  });
  return body;
}

/** Returns a node below `node`, and makes it if needed. Objects have no prototype, so that no key has a meaning. */
function childOf(node, key, depth) {
  node[key] ??= key === "targets" && depth === 1 ? [] : Object.create(null);
  return node[key];
}

// ==== 7. Match (docs/evidence.md, "What the answer means": "altered") ====
// A row shows what was delivered if the RFC 8785 form of its event has the hash in the leaf.

/** The number of bodies that are tried for one row. */
const MOST_TRIES = 4096;

/** Stands for the version of an event's schema if the export lacks it: none, or a small number. */
const VERSIONS = { pointer: "/event/version", options: [undefined, ...Array(50).keys()], column: {} };

/**
 * Looks for values that give the leaf. Returns "same", "guessed" if the version came from nowhere, "differs", or "open"
 * if there are too many values to try all.
 */
function match(row, organization, leaf) {
  const has = (pointer) => row.cells.some((cell) => cell.pointer === pointer);
  const cells = [...row.cells];
  if (!has("/organization_id")) cells.push({ pointer: "/organization_id", options: [organization] });
  if (!has("/event/version") && !has("/event")) cells.push(VERSIONS);

  let open = cells.filter(({ options }) => options.length > 1);
  if (combinationsOf(open) > MOST_TRIES) open = open.filter(({ options }) => options[0] !== undefined);
  const combinations = combinationsOf(open);
  for (let turn = 0; turn < Math.min(combinations, MOST_TRIES); turn++) {
    const picks = picksOf(cells, open, turn);
    if (leafOf(canonical(bodyOf(cells, picks))) !== leaf) continue;
    learnTypes(cells, open, picks);
    return cells.at(-1) === VERSIONS && picks.at(-1) > 0 ? "guessed" : "same";
  }
  return combinations > MOST_TRIES ? "open" : "differs";
}

function combinationsOf(cells) {
  return cells.reduce((product, { options }) => product * options.length, 1);
}

/** Returns the options to try, which advance like the digits of a counter. Turn 0 takes the likeliest of each cell. */
function picksOf(cells, open, turn) {
  const picks = Array(cells.length).fill(0);
  let rest = turn;
  for (const cell of open) {
    const count = cell.options.length;
    picks[cells.indexOf(cell)] = (likeliestOf(cell) + rest) % count;
    rest = Math.floor(rest / count);
  }
  return picks;
}

/** The likeliest option has the type that the column had in the last row that matched. */
function likeliestOf({ options, column }) {
  if (options[0] === undefined) return 0;
  const fitting = options.findIndex((option) => typeof option === column.type);
  return Math.max(0, fitting);
}

function learnTypes(cells, open, picks) {
  for (const cell of open) {
    if (cell.options[0] === undefined) continue;
    cell.column.type = typeof cell.options[picks[cells.indexOf(cell)]];
  }
}

/** Returns the pointers at which two values differ. */
function differences(one, other, pointer = "") {
  if (one !== undefined && other !== undefined && canonical(one) === canonical(other)) return [];
  const isNode = (value) => typeof value === "object" && value !== null && Array.isArray(value) === Array.isArray(one);
  if (!isNode(one) || !isNode(other)) return [pointer];
  const keys = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...keys].flatMap((key) => differences(one[key], other[key], `${pointer}/${escaped(key)}`));
}

// ==== 8. Checkpoints (docs/evidence.md, "Keys") ====
// https://c2sp.org/signed-note, https://c2sp.org/tlog-checkpoint and https://c2sp.org/tlog-cosignature

/** The first byte of a key is its algorithm: it signs the note itself, or as a witness the note with a time. */
const ED25519 = 1;
const COSIGNATURE = 4;
const KEY_ID_BYTES = 4;
const TIME_BYTES = 8;
const SIGNATURE_BYTES = 64;

/** Reads lines of `<name>+<key id>+<base64>`. */
function readKeys(text, path) {
  return text
    .split(/\s*\n/)
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => readKey(line, path));
}

/** The key id is the start of SHA-256(name ‖ "\n" ‖ algorithm ‖ public key). */
function readKey(line, path) {
  const [, name, id, base64 = ""] = /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+=*)$/.exec(line) ?? [];
  const bytes = Buffer.from(base64, "base64");
  const isKnown = bytes.length === 33 && (bytes[0] === ED25519 || bytes[0] === COSIGNATURE);
  if (!isKnown || !sha256(Buffer.concat([Buffer.from(`${name}\n`), bytes])).startsWith(id)) {
    throw new Unusable(`"${path}" has a line that is not a verifier key; a line is <name>+<key id>+<base64>`, 2);
  }
  const jwk = { kty: "OKP", crv: "Ed25519", x: bytes.toString("base64url", 1) };
  return { name, id, isWitness: bytes[0] === COSIGNATURE, key: crypto.createPublicKey({ key: jwk, format: "jwk" }) };
}

/** A checkpoint has its origin, size and root, each on a line, then other lines, an empty line, and signatures. */
const CHECKPOINT =
  /^(([^\n]+)\n(0|[1-9]\d{0,14})\n([A-Za-z0-9+/]{43}=)\n(?:[^\n]+\n)*)\n((?:— \S+ [A-Za-z0-9+/]+=*\n)+)$/;

function readCheckpoint(note, path) {
  const [, text, origin, size, root, lines] = CHECKPOINT.exec(note) ?? [];
  const signatures = (lines ?? "").split("\n").slice(0, -1).map(signatureIn);
  if (lines === undefined || !isExact(root) || !signatures.every(({ base64 }) => isExact(base64))) {
    throw new Unusable(`"${path}" is not a signed checkpoint: it is damaged, or another file`);
  }
  return { text, origin, size: Number(size), root, signatures };
}

/** Base64 has several texts for the same bytes. Only one of them is accepted, so that no character can change. */
function isExact(base64) {
  return Buffer.from(base64, "base64").toString("base64") === base64;
}

function signatureIn(line) {
  const [, by, base64] = line.split(" ");
  return { by, base64 };
}

/** Returns who signed the checkpoint with one of the keys; for a witness, with the time in seconds. */
function signersOf({ text, signatures }, keys) {
  return keys.flatMap((key) => signatures.flatMap((signature) => signerOf(text, signature, key) ?? []));
}

function signerOf(text, { by, base64 }, { name, id, isWitness, key }) {
  const bytes = Buffer.from(base64, "base64");
  const length = KEY_ID_BYTES + (isWitness ? TIME_BYTES : 0) + SIGNATURE_BYTES;
  if (by !== name || bytes.toString("hex", 0, KEY_ID_BYTES) !== id || bytes.length !== length) return undefined;
  const seconds = isWitness ? Number(bytes.readBigUInt64BE(KEY_ID_BYTES)) : undefined;
  const signed = isWitness ? `cosignature/v1\ntime ${seconds}\n${text}` : text;
  const isGenuine = crypto.verify(null, Buffer.from(signed), key, bytes.subarray(-SIGNATURE_BYTES));
  return isGenuine ? { name, seconds } : undefined;
}

/** A witness is anyone else whose key is in your key file and who signed the checkpoint. */
function witnessesOf({ checkpoint, keys }, logKeys) {
  const others = keys.filter((one) => !logKeys.includes(one));
  return signersOf(checkpoint, others).map(({ name, seconds }) => ({
    kind: "witness",
    size: checkpoint.size,
    trusted: true,
    name,
    time: isoOf(seconds * 1000),
  }));
}

// ==== 9. Time stamps: RFC 3161 and RFC 5652, in DER (ITU-T X.690) ====

/** Returns the sizes of the checkpoints that have a time stamp, `anchors/<size>.tsr`. */
function stampSizesOf(source) {
  return source
    .list("anchors")
    .flatMap((file) => /^(\d{1,15})\.tsr$/.exec(file)?.[1] ?? [])
    .map(Number)
    .toSorted((one, other) => one - other);
}

/** Checks all time stamps. One of an older checkpoint covers the text that the log must have had at that size. */
async function timeStampsOf({ source, checkpoint, authorities, stampSizes }, rootAt) {
  const { origin, size, text } = checkpoint;
  const anchors = [];
  for (const at of stampSizes) {
    const stamped = at === size ? text : `${origin}\n${at}\n${rootAt(at)}\n`;
    const bytes = await source.bytes(`anchors/${at}.tsr`);
    anchors.push({ kind: "timestamp", size: at, trusted: false, ...stampOf(bytes, stamped, authorities) });
  }
  return anchors;
}

/** Checks a time stamp of `text`. Returns its time and authority, and whether a certificate of yours vouches for it. */
function stampOf(bytes, text, authorities) {
  try {
    return readStamp(bytes, text, authorities);
  } catch {
    return { problem: "it is not a time stamp" };
  }
}

function readStamp(bytes, text, authorities) {
  // RFC 3161, section 2.4.2: TimeStampResp. RFC 5652, section 5.1: SignedData.
  const [status, token] = inside(derOf(bytes)[0]);
  const [, , content, certificates, ...rest] = inside(inside(inside(token)[1])[0]);
  const info = inside(inside(content)[1])[0].body;
  // RFC 3161, section 2.4.2: TSTInfo. It must be about the hash of this text.
  const [, , stamped, , { body: genTime }] = inside(derOf(info)[0]);
  const [algorithm, imprint] = inside(stamped);
  const isRefused = inside(status)[0].body[0] > 1;
  if (isRefused || hashNameOf(algorithm) !== "sha256" || imprint.hex !== sha256(text)) {
    return { problem: "it is not for this checkpoint" };
  }

  const time = genTime.toString().replace(/^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\.\d+)?Z$/, "$1-$2-$3T$4:$5:$6$7Z");
  const pool = inside(certificates).map(({ all }) => new crypto.X509Certificate(all));
  const signerInfo = inside(inside(rest.at(-1))[0]);
  const signer = stampSignerOf(signerInfo, info, pool);
  if (!signer) return { time, problem: "its signature does not hold" };
  const isTrusted = isTrustedAt(Date.parse(time), signer, authorities, pool);
  return { time, authority: signer.subject.replaceAll("\n", ", "), trusted: isTrusted };
}

/** OBJECT IDENTIFIERs in DER: SHA-256, SHA-384 and SHA-512 (RFC 5754, section 2). */
const HASH_NAMES = {
  "608648016503040201": "sha256",
  "608648016503040202": "sha384",
  "608648016503040203": "sha512",
};
/** RFC 5652, section 11.2. */
const MESSAGE_DIGEST = "2a864886f70d010904";
/** RFC 2634, section 5.4, and RFC 5035, section 3: they name the signer's certificate by its hash. */
const SIGNING_CERTIFICATE = "2a864886f70d010910020c";
const SIGNING_CERTIFICATE_V2 = "2a864886f70d010910022f";
/** RFC 3161, section 2.3: the certificate of an authority must be for time stamps. */
const FOR_TIME_STAMPS = "1.3.6.1.5.5.7.3.8";

/**
 * Returns the certificate that signed the token, or undefined. RFC 5652, section 5.4: the signature is of the signed
 * attributes, and these hold the hash of the content.
 */
function stampSignerOf(signerInfo, info, pool) {
  const [, , digestAlgorithm, attributes, , signature] = signerInfo;
  const attribute = (oid) =>
    inside(attributes)
      .map(inside)
      .find(([name]) => name.hex === oid)?.[1];
  const isNamed = ({ raw }) =>
    Boolean(attribute(SIGNING_CERTIFICATE)?.hex.includes(hashOf("sha1", raw))) ||
    Boolean(attribute(SIGNING_CERTIFICATE_V2)?.hex.includes(hashOf("sha256", raw)));
  // They are signed as a SET, whose tag is 0x31, and not with the tag that they have in the token.
  const signed = Buffer.concat([Buffer.of(0x31), attributes.all.subarray(1)]);
  const candidates = pool.filter((one) => one.keyUsage?.includes(FOR_TIME_STAMPS) && isNamed(one));
  if (candidates.length === 0) return undefined;
  const hashName = hashNameOf(digestAlgorithm);
  const signer = candidates.find((one) => crypto.verify(hashName, signed, one.publicKey, signature.body));
  const isSound = signer && inside(attribute(MESSAGE_DIGEST))[0].hex === hashOf(hashName, info);
  return isSound ? signer : undefined;
}

/** RFC 5280, section 6: a path of valid certificates leads from the signer to a certificate of yours. */
function isTrustedAt(ms, certificate, authorities, pool, depth = 0) {
  const isValid = Date.parse(certificate.validFrom) <= ms && ms <= Date.parse(certificate.validTo);
  if (depth >= MOST_CERTIFICATES || !isValid) return false;
  if (authorities.some(({ raw }) => raw.equals(certificate.raw))) return true;
  return [...authorities, ...pool]
    .filter((other) => other.ca && certificate.checkIssued(other) && certificate.verify(other.publicKey))
    .some((issuer) => isTrustedAt(ms, issuer, authorities, pool, depth + 1));
}

const MOST_CERTIFICATES = 8;

function hashNameOf(algorithmIdentifier) {
  return HASH_NAMES[inside(algorithmIdentifier)[0].hex];
}

function hashOf(name, data) {
  return crypto.createHash(name).update(data).digest("hex");
}

/** Returns the parts of a constructed value. */
function inside({ body }) {
  return derOf(body);
}

/** Splits DER into its values. Each has a tag of one byte, a length, and a body. */
function derOf(bytes) {
  const values = [];
  let at = 0;
  while (at < bytes.length) {
    // A short length is below 0x80. A long one is in further bytes, and the first byte counts them.
    const lengthBytes = Math.max(0, bytes[at + 1] - 0x80);
    const start = at + 2 + lengthBytes;
    const end = start + (lengthBytes > 0 ? bytes.readUIntBE(at + 2, lengthBytes) : bytes[at + 1]);
    if (end > bytes.length) throw new RangeError("it is cut short");
    const body = bytes.subarray(start, end);
    values.push({ hex: body.toString("hex"), body, all: bytes.subarray(at, end) });
    at = end;
  }
  return values;
}

// ==== 10. Hashes and JSON. Hashes are SHA-256 in hexadecimal ====

function sha256(data) {
  // `crypto.hash` is faster, but Node 20 has it only since 20.12.
  return crypto.hash ? crypto.hash("sha256", data) : hashOf("sha256", data);
}

/** RFC 6962, section 2.1: a leaf is SHA-256(0x00 ‖ data). */
function leafOf(data) {
  return sha256(typeof data === "string" ? `\0${data}` : Buffer.concat([Buffer.of(0), data]));
}

/** RFC 6962, section 2.1: a node is SHA-256(0x01 ‖ left ‖ right). */
const NODE = Buffer.alloc(65, 1);
function nodeOf(left, right) {
  NODE.write(left, 1, "hex");
  NODE.write(right, 33, "hex");
  return sha256(NODE);
}

/** RFC 8785: keys in the order of their UTF-16 units; strings and numbers as `JSON.stringify` writes them. */
export function canonical(value) {
  if (typeof value === "string" && /^[ !#-[\]-\ud7ff]*$/.test(value)) return `"${value}"`;
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const members = Object.keys(value)
    .toSorted()
    .map((key) => `${canonical(key)}:${canonical(value[key])}`);
  return `{${members.join(",")}}`;
}

/** Returns undefined for a text that is not JSON. */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** RFC 6901, section 3. */
function escaped(key) {
  return key.replaceAll("~", "~0").replaceAll("/", "~1");
}

/** Returns the keys of an RFC 6901 pointer. */
const keysOf = memo((pointer) =>
  pointer
    .slice(1)
    .split("/")
    .map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~")),
);

/** Returns `make`, which then makes what belongs to a key only once. */
function memo(make) {
  const made = new Map();
  return (key, ...rest) => {
    if (!made.has(key)) made.set(key, make(key, ...rest));
    return made.get(key);
  };
}

function isoOf(ms) {
  return Number.isNaN(ms) ? "" : new Date(ms).toISOString();
}

/** RFC 9562, section 5.7: a UUID of version 7 begins with its time, 48 bits of ms. Returns NaN for other ids. */
function timeIn(id) {
  if (!/^[0-9a-f]{8}-[0-9a-f]{4}-7/.test(id)) return Number.NaN;
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}

// ==== 11. Files of a folder or a zip. Nothing is unpacked to the disk ====

const CHUNK_BYTES = 1 << 18;
/** Files that are read as a whole, such as tiles, are far smaller. A larger one is read as an empty one. */
const MOST_BYTES = 256 * CHUNK_BYTES;

function openSource(path) {
  if (!fs.existsSync(path)) {
    throw new Unusable(`"${path}" does not exist; name the evidence folder or the pack`, 2);
  }
  const source = fs.statSync(path).isDirectory() ? openFolder(path) : openZip(path);
  const has = (name) => source.size(name) !== undefined;
  if (!has("checkpoint")) throw new Unusable(`"${path}" is not evidence: it has no file "checkpoint"`);
  const bytes = async (name) => {
    const chunks = source.size(name) > MOST_BYTES ? [] : source.chunks(name);
    return Buffer.concat(await streamOf(chunks).toArray());
  };
  return { ...source, has, bytes };
}

function openFolder(root) {
  const size = (name) => fs.statSync(`${root}/${name}`, { throwIfNoEntry: false })?.size;
  return {
    size,
    chunks: (name) => chunksOf(`${root}/${name}`),
    list: (name) => (size(name) === undefined ? [] : fs.readdirSync(`${root}/${name}`)),
  };
}

/** Signatures and lengths in a zip: PKWARE's APPNOTE.TXT, sections 4.3.7, 4.3.12 and 4.3.16. */
const ZIP_HEADER_BYTES = 30;
const ZIP_ENTRY = { signature: 0x02014b50, bytes: 46 };
const ZIP_END = { signature: "PK\x05\x06", bytes: 22, mostBytes: 22 + 65_535 };
const STORED = 0;
const DEFLATED = 8;

function openZip(path) {
  const zip = { path, file: fs.openSync(path, "r"), bytes: fs.statSync(path).size };
  const entries = zipEntriesOf(zip);
  const inFolder = (folder) => [...entries.keys()].filter((name) => name.startsWith(`${folder}/`));
  return {
    size: (name) => entries.get(name)?.size,
    chunks: (name) => zipChunksOf(zip, entries, name),
    list: (folder) => inFolder(folder).map((name) => name.slice(folder.length + 1)),
  };
}

/** Returns the entries of a zip by name. Its directory is near its end. */
function zipEntriesOf(zip) {
  const tailBytes = Math.min(ZIP_END.mostBytes, zip.bytes);
  const tail = zipPart(zip, zip.bytes - tailBytes, tailBytes);
  const end = tail.lastIndexOf(ZIP_END.signature);
  if (end < 0 || end + ZIP_END.bytes > tail.length) throw badZip(zip, "it has no directory");
  const directoryAt = tail.readUInt32LE(end + 16);
  if (directoryAt === 0xffffffff || tail.readUInt16LE(end + 10) === 0xffff) {
    throw badZip(zip, "it is too large; unpack it and name the folder");
  }
  const directory = zipPart(zip, directoryAt, tail.readUInt32LE(end + 12));

  const entries = new Map();
  let at = 0;
  while (at + ZIP_ENTRY.bytes <= directory.length) {
    const entry = zipEntryAt(directory, at);
    if (!entry.isReadable) throw badZip(zip, `"${entry.name}" is packed in an unknown way`);
    if (/(^|\/)\.{1,2}(\/|$)|^\/|[\\\0:]/.test(entry.name) || entries.has(entry.name)) {
      throw badZip(zip, `${JSON.stringify(entry.name)} leads out of it, or is in it twice`);
    }
    entries.set(entry.name, entry);
    at = entry.end;
  }
  return entries;
}

function zipEntryAt(directory, at) {
  const isEncrypted = directory.readUInt16LE(at + 8) % 2 === 1;
  const method = directory.readUInt16LE(at + 10);
  const isKnown = directory.readUInt32LE(at) === ZIP_ENTRY.signature && (method === STORED || method === DEFLATED);
  const nameEnd = at + ZIP_ENTRY.bytes + directory.readUInt16LE(at + 28);
  return {
    name: directory.toString("utf8", at + ZIP_ENTRY.bytes, nameEnd),
    isReadable: isKnown && !isEncrypted,
    method,
    packedBytes: directory.readUInt32LE(at + 20),
    size: directory.readUInt32LE(at + 24),
    offset: directory.readUInt32LE(at + 42),
    end: nameEnd + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32),
  };
}

/** Reads one entry. A small one inflates to no more than the size that the directory says; a large one is a stream. */
function zipChunksOf(zip, entries, name) {
  const { offset, packedBytes, size, method } = entries.get(name);
  const header = zipPart(zip, offset, ZIP_HEADER_BYTES);
  const start = offset + ZIP_HEADER_BYTES + header.readUInt16LE(26) + header.readUInt16LE(28);
  if (method === STORED) return chunksOf(zip.path, start, start + packedBytes);
  if (size < CHUNK_BYTES && packedBytes < CHUNK_BYTES) {
    return [zlib.inflateRawSync(zipPart(zip, start, packedBytes), { maxOutputLength: size + 1 })];
  }
  return pipeline(streamOf(chunksOf(zip.path, start, start + packedBytes)), zlib.createInflateRaw(), ignoreEnd);
}

function zipPart(zip, start, length) {
  // The check comes before the memory is taken, because a damaged zip may claim any length.
  const bytes = Buffer.alloc(start + length > zip.bytes ? 0 : length);
  if (bytes.length < length || fs.readSync(zip.file, bytes, 0, length, start) < length) {
    throw badZip(zip, "it is cut short");
  }
  return bytes;
}

function badZip({ path }, what) {
  return new Unusable(`"${path}" is not a zip file that can be read here: ${what}`);
}

/** Reads a file, or a part of it, in chunks. Each chunk is valid until the next one is read. */
function* chunksOf(path, start = 0, end = Infinity) {
  const file = fs.openSync(path, "r");
  const buffer = Buffer.alloc(Math.min(CHUNK_BYTES, fs.statSync(path).size));
  try {
    let at = start;
    while (true) {
      const count = fs.readSync(file, buffer, 0, Math.min(buffer.length, end - at), at);
      if (count === 0) return;
      yield buffer.subarray(0, count);
      at += count;
    }
  } finally {
    fs.closeSync(file);
  }
}

/** Returns a stream of copies of the chunks, since a stream reads ahead. */
function streamOf(chunks) {
  const copies = async function* () {
    for await (const chunk of chunks) yield Buffer.from(chunk);
  };
  return Readable.from(copies());
}

/** The reader of a pipeline gets its error, too, so the callback has nothing to do. */
function ignoreEnd() {}

function fileAt(path, what) {
  if (fs.statSync(path, { throwIfNoEntry: false })?.isFile()) return path;
  throw new Unusable(`"${path}" is not a file; name ${what}`, 2);
}

function readFile(path, what) {
  return fs.readFileSync(fileAt(path, what), "utf8");
}

// ==== 12. Lines and CSV, in batches ====

const MOST_CHARACTERS = 1 << 24;

/** Yields the items that `take(text, isLast)` finds. It also returns the rest of the text, which waits for more. */
async function* batchesOf(chunks, take) {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let rest = "";
  for await (const chunk of chunks) {
    const taken = take(rest + decoder.decode(chunk, { stream: true }), false);
    rest = taken.rest;
    if (rest.length > MOST_CHARACTERS) throw new Unusable("a line or a row has more than 16 million characters");
    yield taken.items;
  }
  yield take(rest + decoder.decode(), true).items;
}

function linesOf(chunks) {
  return batchesOf(chunks, (text, isLast) => {
    const lines = text.split("\n");
    // What follows the last line feed is a line only at the end of the file, and only if it is not empty.
    const rest = isLast && lines.at(-1) !== "" ? "" : lines.pop();
    return { items: lines, rest };
  });
}

/** RFC 4180, with a comma, a semicolon or a tab between the cells. */
function csvRowsOf(chunks) {
  let separator;
  let cell;
  return batchesOf(chunks, (text, isLast) => {
    separator ??= separatorIn(text);
    // A quoted cell or a plain one, and then the separator or the end of the row.
    cell ??= new RegExp(
      `(?:"([^"]*(?:""[^"]*)*)"|([^"${separator}\\n][^${separator}\\n]*)?)(${separator}|\\r?\\n)`,
      "y",
    );
    const isOpen = isLast && text !== "" && !text.endsWith("\n");
    const { rows, rest } = csvRowsIn(isOpen ? `${text}\n` : text, cell, separator);
    if (isLast && rest !== "") throw new Unusable("it is cut short, or is not CSV");
    return { items: rows, rest };
  });
}

/** The separator is the one that is most often in the first line. */
function separatorIn(text) {
  const [line] = text.split("\n", 1);
  const countOf = (separator) => line.split(separator).length;
  return [",", ";", "\t"].reduce((best, next) => (countOf(next) > countOf(best) ? next : best));
}

/** Returns the whole rows of a text, without empty ones, and the rest of the text. */
function csvRowsIn(text, cell, separator) {
  const rows = [];
  let row = [];
  let rest = 0;
  cell.lastIndex = 0;
  for (let match = cell.exec(text); match !== null; match = cell.exec(text)) {
    const [, quoted, plain = "", end] = match;
    row.push(quoted === undefined ? plain.replace(/\r$/, "") : quoted.replaceAll('""', '"'));
    if (end === separator) continue;
    if (row.length > 1 || row[0] !== "") rows.push(row);
    row = [];
    rest = cell.lastIndex;
  }
  return { rows, rest: text.slice(rest) };
}

// ==== 13. Command line (docs/evidence.md, "Check it in ten minutes") ====

/** Returns the result as text for people. */
export function textOf(result) {
  const { checkpoint, altered, uncompared } = result;
  const exports = result.exports.join(", ");
  const found = `${result.found} found in ${exports}; ${result.foreign_rows} other rows`;
  const compared = exports === "" ? "not compared, because there is no export" : found;
  const lines = [
    `log: ${checkpoint.origin}, ${result.digests} digests, grade "${result.grade}"`,
    `chain: ${result.chain}`,
    ...result.anchors.map(anchorLine),
    `events: ${result.events}, ${compared}`,
    ...listed("missing from the export", result.missing),
  ];
  if (uncompared > 0) {
    lines.push(`found, but not compared in every field: ${uncompared}`, ...indented(result.uncompared_fields));
  }
  const alteredEvents = altered.map(({ event_id: id, fields }) => [id, ...fields].join(" "));
  lines.push(...listed("altered", alteredEvents));
  lines.push(...listed("unexpected: in no digest, or twice in the export", result.unexpected));
  lines.push(result.ok ? "ok: nothing was removed, changed or added" : "NOT OK");
  // Names and ids come from files, and must not control the terminal.
  return lines.join("\n").replace(/[^\P{C}\n]/gu, "?");
}

function anchorLine({ kind, name, authority, time, size, trusted, problem }) {
  const parts = [kind, name ?? authority, time, `${size} digests`, trusted ? "trusted" : "not trusted", problem];
  return parts.filter(Boolean).join(", ");
}

function listed(title, items) {
  return items.length === 0 ? [] : [`${title}: ${items.length}`, ...indented(items)];
}

const MOST_LISTED = 20;

function indented(items) {
  const lines = items.slice(0, MOST_LISTED).map((item) => `  ${item}`);
  return items.length > MOST_LISTED ? [...lines, "  …"] : lines;
}

const OPTIONS = {
  evidence: { type: "string" },
  key: { type: "string" },
  trusted: { type: "string" },
  columns: { type: "string" },
  tsa: { type: "string" },
  organization: { type: "string" },
  since: { type: "string" },
  until: { type: "string" },
  export: { type: "string", multiple: true },
  json: { type: "boolean" },
};

const USAGE =
  "usage: verify.mjs <folder or pack.zip> --key <file> [--trusted …] [--columns …] [--tsa …] [--organization …] " +
  "[--since …] [--until …] [--export …]… [--json]";

/** Exit code 0 only if everything holds, 1 if something does not, 2 if a file or an option is wrong. */
async function main(args) {
  const { values, positionals } = parseArgs({ args, options: OPTIONS, allowPositionals: true });
  const { json, export: exports, ...options } = values;
  options.evidence ??= positionals[0];
  if (!options.key || !options.evidence) throw new Unusable(USAGE, 2);
  for (const name of ["since", "until"]) {
    if (name in options) options[name] = timeOf(name, options[name]);
  }
  const result = await verifyEvidence({ ...options, exports });
  process.stdout.write(`${json ? JSON.stringify(result, null, 2) : textOf(result)}\n`);
  process.exitCode = result.ok ? 0 : 1;
}

function timeOf(name, text) {
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) throw new Unusable(`"--${name}" must be a time such as 2026-11-30T10:00:00Z`, 2);
  return ms;
}

function fail(error) {
  const code = codeOf(error);
  const { message } = error;
  process.stderr.write(`error[${code}]: ${message}\n`);
  if (process.argv.includes("--json")) {
    process.stdout.write(`${JSON.stringify({ error: { code, message } }, null, 2)}\n`);
  }
  process.exitCode = code === "wrong_use" ? 2 : 1;
}

function codeOf(error) {
  if (error instanceof Unusable) return error.code;
  return String(error.code).startsWith("ERR_PARSE_ARGS") ? "wrong_use" : "internal";
}

/** The CLI imports this code or bundles it, and then starts by itself. Only this file begins with its first line. */
function isStarted() {
  const path = process.argv[1];
  if (!path || import.meta.url !== pathToFileURL(fs.realpathSync(path)).href) return false;
  return fs.readFileSync(path, "utf8").slice(0, 80).includes("Checks evidence of the audit forwarder");
}

if (isStarted()) main(process.argv.slice(2)).catch(fail);
