#!/usr/bin/env node
// The command `audit-forwarder`: the bootstrap's task `cli`, in the caller's directory.
process.argv.splice(2, 0, "cli");
void import("./bootstrap/run.mjs");
