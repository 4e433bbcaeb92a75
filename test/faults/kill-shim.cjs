// Loaded before the program (NODE_OPTIONS=--require): kills it as the kernel does when memory ends (SIGKILL), just before
// one file operation. MEMOIR_KILL is JSON: { "name": "unlink", "below": "/tmp/x/home", "occurrence": 1 }.
"use strict";
const fs = require("node:fs");
const { syncBuiltinESMExports } = require("node:module");
const { isMainThread } = require("node:worker_threads");

const order = JSON.parse(process.env.MEMOIR_KILL ?? "null");
if (order !== null && isMainThread) install(order);

function install({ name, below, occurrence }) {
  delete process.env.MEMOIR_KILL;
  delete process.env.NODE_OPTIONS;
  let met = 0;
  const meet = (paths) => {
    const concerns = paths.some((path) => typeof path === "string" && path.startsWith(`${below}/`));
    if (concerns && ++met === occurrence) process.kill(process.pid, "SIGKILL");
  };
  const sync = fs[`${name}Sync`];
  fs[`${name}Sync`] = Object.assign(function (...args) {
    meet(args);
    return sync.apply(this, args);
  }, sync);
  const promised = fs.promises[name];
  fs.promises[name] = async function (...args) {
    meet(args);
    return promised.apply(this, args);
  };
  syncBuiltinESMExports();
}
