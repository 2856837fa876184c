/** Runs before each file of the project "gateway": one file at a time has a gateway, in whatever process it runs. */
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll } from "vitest";
import { takeTurn } from "./turn.ts";

const TURN = fileURLToPath(new URL("../../.audit-forwarder/gateway-turn.sqlite", import.meta.url));
/** As long as all files before this one may take on a busy machine. */
const LONGEST_WAIT_MS = 3_600_000;

let endTurn: (() => void) | undefined;
beforeAll(async () => void (endTurn = await takeTurn(TURN)), LONGEST_WAIT_MS);
afterAll(() => endTurn?.());
