#!/usr/bin/env node
// The way in for every npm script. Written for old Nodes too: one that cannot run the rest must still say so in one line.
const major = Number(process.versions.node.split(".")[0]);
if (major < 20) {
  console.error(
    `error[node_too_old]: Node ${process.versions.node} is too old; install Node 24 (20 or newer is enough) and run the command again`,
  );
  process.exitCode = 1;
} else {
  void import("./main.mjs").then(({ main }) => main(process.argv.slice(2), process.cwd()));
}
