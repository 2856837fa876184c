/** Verifies evidence in a process of its own, and prints what that took. `check.ts <options of verifyEvidence as JSON>` */
import { verifyEvidence, type VerifyOptions } from "../../verifier/verify.mjs";

const startedAtMs = performance.now();
const { ok, events, found, grade } = await verifyEvidence(JSON.parse(process.argv[2] ?? "") as VerifyOptions);
const wallMs = performance.now() - startedAtMs;
const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
const cpuMs = (userCPUTime + systemCPUTime) / 1000;
console.log(JSON.stringify({ ok, events, found, grade, wallMs, cpuMs, mostMegabytes: maxRSS / 1024 }));
