#!/usr/bin/env node
// The command `audit-forwarder`, in the caller's directory: in a clone the bootstrap's task `cli`, in the package the built program.
import { existsSync } from "node:fs";

if (existsSync(new URL("./bootstrap/run.mjs", import.meta.url))) {
  process.argv.splice(2, 0, "cli");
  void import("./bootstrap/run.mjs");
} else void import("./bootstrap/packaged.mjs");
