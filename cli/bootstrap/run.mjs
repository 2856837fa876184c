#!/usr/bin/env node
// The entry of every npm script. It also runs on old Nodes, so that a Node too old for the rest can say so in one line.
const major = Number(process.versions.node.split(".")[0]);
if (major < 20) {
  console.error(
    `error[node_too_old]: Node ${process.versions.node} is too old; install Node 24 (20 or newer is enough) and run the command again`,
  );
  process.exitCode = 1;
} else {
  void import("./main.mjs").then(({ main }) => main(process.argv.slice(2), process.cwd()));
}
