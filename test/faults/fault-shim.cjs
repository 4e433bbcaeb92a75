// Loaded before the program (NODE_OPTIONS=--require): fails one file or network operation below certain folders with a
// system error, as a full disk, a broken one or a strict machine would. MEMOIR_FAULT is JSON:
//   { "site": "3f2a…", "occurrence": 2, "code": "ENOSPC", "lasts": "once" | "from then on",
//     "below": ["/tmp/x"], "log": "/tmp/x.log" }
// A site is where in the program an operation is made: the digest of its innermost calls. That is the same in every
// run, unlike the operation's place in the order of all. Without a site nothing fails. The log gets a line `strike …` when it
// strikes and, without a site, at the end a line `op SITE NAME` for each operation that could have failed that way.
// Native stores (LMDB, SQLite) write by themselves and are not reached.
"use strict";
const { createHash } = require("node:crypto");
const fs = require("node:fs");
const net = require("node:net");
const { syncBuiltinESMExports } = require("node:module");
const { isMainThread } = require("node:worker_threads");

const fault = JSON.parse(process.env.MEMOIR_FAULT ?? "null");
if (fault !== null && isMainThread) install(fault);

function install({ site, occurrence, code, below, log, lasts }) {
  // Children (shells, the expression sandbox) have separate counts, which would mean nothing.
  delete process.env.MEMOIR_FAULT;
  delete process.env.NODE_OPTIONS;
  const append = fs.appendFileSync;
  const places = below.map((folder) => `${folder}/`);
  const descriptors = new Map();
  const seen = [];
  let met = 0;
  let struck = false;
  const numbers = { ENOSPC: -28, EACCES: -13, EIO: -5, EMFILE: -24, EROFS: -30, ECONNRESET: -104 };

  /** Which operations a code can come from. */
  const suits = {
    ENOSPC: (op) => op.writes,
    EROFS: (op) => op.writes && op.byPath,
    EACCES: (op) => op.byPath,
    EMFILE: (op) => op.opens,
    EIO: () => true,
    ECONNRESET: (op) => op.connects === true,
  };
  const concerns = (path) =>
    typeof path === "string" || path instanceof URL || Buffer.isBuffer(path)
      ? places.some((place) => `${path}/`.startsWith(place) || String(path).startsWith(`file://${place}`))
      : typeof path === "number"
        ? descriptors.has(path)
        : false;

  function siteOf(op) {
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 30;
    const { stack } = new Error();
    Error.stackTraceLimit = stackTraceLimit;
    const frames = stack
      .split("\n")
      .filter((line) => !/node:|fault-shim/.test(line) && /:\d+:\d+/.test(line));
    // Whoever is further out than that handles what the inner ones pass on.
    const inner = frames.slice(0, 4).join("\n");
    return createHash("sha256").update(`${op.name}\n${inner}`).digest("hex").slice(0, 16);
  }

  function strikes(op, target) {
    if (!suits[code](op)) return undefined;
    if (op.connects !== true && !concerns(target)) return undefined;
    if (site === undefined) {
      seen.push(`op ${siteOf(op)} ${op.name}\n`);
      return undefined;
    }
    if (struck) {
      if (lasts === "once") return undefined;
    } else if (siteOf(op) !== site || ++met !== occurrence) return undefined;
    const path = typeof target === "string" ? target : descriptors.get(target);
    if (!struck) append(log, `strike ${op.name} ${path}\n`);
    struck = true;
    const error = new Error(`${code}: injected, ${op.syscall}${path === undefined ? "" : ` '${path}'`}`);
    return Object.assign(error, {
      errno: numbers[code],
      code,
      syscall: op.syscall,
      ...(typeof target === "string" ? { path: target } : {}),
    });
  }

  const operations = [
    ["open", "open", "open"],
    ["mkdir", "mkdir", "write"],
    ["mkdtemp", "mkdtemp", "write"],
    ["rename", "rename", "write"],
    ["link", "link", "write second"],
    ["symlink", "symlink", "write second"],
    ["unlink", "unlink", "path"],
    ["rmdir", "rmdir", "path"],
    ["rm", "rm", "path"],
    ["stat", "stat", "path"],
    ["lstat", "lstat", "path"],
    ["readdir", "scandir", "path open"],
    ["readlink", "readlink", "path"],
    ["realpath", "realpath", "path"],
    ["chmod", "chmod", "write"],
    ["utimes", "utime", "write"],
    ["copyFile", "copyfile", "write second"],
    ["readFile", "open", "open"],
    ["writeFile", "open", "open write"],
    ["appendFile", "open", "open write"],
    ["truncate", "truncate", "write"],
    ["access", "access", "path"],
    ["opendir", "opendir", "path open"],
    ["write", "write", "fd write"],
    ["writev", "write", "fd write"],
    ["read", "read", "fd"],
    ["fsync", "fsync", "fd write"],
    ["fdatasync", "fdatasync", "fd write"],
    ["ftruncate", "ftruncate", "fd write"],
    ["fstat", "fstat", "fd"],
  ].map(([name, syscall, words]) => ({
    name,
    syscall,
    writes: /write/.test(words),
    opens: /open/.test(words),
    byPath: !/fd/.test(words),
    second: /second/.test(words),
  }));

  const writing = (flags) => flags !== undefined && /[wax+]/.test(String(flags));
  const shaped = (op, args) => (op.name === "open" ? { ...op, writes: writing(args[1]) } : op);
  const targetOf = (op, args) => (op.second && concerns(args[1]) ? args[1] : args[0]);
  const remember = (fd, path) => {
    if (typeof fd === "number" && concerns(path)) descriptors.set(fd, String(path));
  };

  for (const op of operations) {
    const sync = fs[`${op.name}Sync`];
    if (typeof sync === "function") {
      fs[`${op.name}Sync`] = Object.assign(function (...args) {
        const error = strikes(shaped(op, args), targetOf(op, args));
        // The caller said that it wants no error for what is not there; a broken disk is one all the same.
        if (error !== undefined) throw error;
        const result = sync.apply(this, args);
        if (op.name === "open") remember(result, args[0]);
        return result;
      }, sync);
    }
    const callback = fs[op.name];
    if (typeof callback === "function") {
      const { [require("node:util").promisify.custom]: custom } = callback;
      const replaced = function (...args) {
        const error = strikes(shaped(op, args), targetOf(op, args));
        const done = args.at(-1);
        if (error !== undefined && typeof done === "function") return void process.nextTick(done, error);
        if (op.name === "open" && typeof done === "function")
          args[args.length - 1] = (failed, fd) => {
            if (!failed) remember(fd, args[0]);
            done(failed, fd);
          };
        return callback.apply(this, args);
      };
      fs[op.name] = Object.assign(replaced, callback);
      if (custom !== undefined)
        Object.defineProperty(replaced, require("node:util").promisify.custom, { value: custom });
    }
    const promised = fs.promises[op.name];
    if (typeof promised === "function")
      fs.promises[op.name] = async function (...args) {
        const error = strikes(shaped(op, args), targetOf(op, args));
        if (error !== undefined) throw error;
        const result = await promised.apply(this, args);
        if (op.name === "open") {
          descriptors.set(result.fd, String(args[0]));
          patchHandle(result);
        }
        return result;
      };
  }
  const nativeRealpath = fs.realpathSync.native;
  if (nativeRealpath !== undefined) fs.realpathSync.native = nativeRealpath;

  /** A handle's own operations, on its class and once. */
  let patched = false;
  function patchHandle(handle) {
    if (patched) return;
    patched = true;
    const prototype = Object.getPrototypeOf(handle);
    const own = {
      write: 1,
      writev: 1,
      writeFile: 1,
      appendFile: 1,
      sync: 1,
      datasync: 1,
      truncate: 1,
      chmod: 1,
      utimes: 1,
    };
    for (const name of [
      "read",
      "readFile",
      "write",
      "writev",
      "writeFile",
      "appendFile",
      "sync",
      "datasync",
      "stat",
      "truncate",
    ]) {
      const method = prototype[name];
      if (typeof method !== "function") continue;
      prototype[name] = async function (...args) {
        const op = {
          name: `handle.${name}`,
          syscall: name,
          writes: name in own,
          opens: false,
          byPath: false,
        };
        const error = strikes(op, this.fd);
        if (error !== undefined) throw error;
        return method.apply(this, args);
      };
    }
  }

  const connect = net.Socket.prototype.connect;
  net.Socket.prototype.connect = function (...args) {
    const error = strikes(
      { name: "connect", syscall: "connect", writes: false, opens: true, byPath: false, connects: true },
      undefined,
    );
    if (error === undefined) return connect.apply(this, args);
    process.nextTick(() => this.destroy(error));
    return this;
  };

  syncBuiltinESMExports();
  if (site === undefined) process.on("exit", () => append(log, seen.join("")));
}
