/**
 * JavaScript that runs inside the engines, as text: their process is started from a string, so that it works from one
 * bundled file, and nothing of Memoir is reachable from within.
 *
 * `prelude` prepares a fresh global. Called with what makes functions out of texts (or nothing, where the engine may do it) it answers `{ begin, seal, run }`. `run(fn, inputs, self, runtime)` always answers a text: `v` and
 * JSON, `i`, a reason, a line break and JSON for impure values, or `e` and a message. Catching happens in there, so
 * that the outside never touches an object that the expression made.
 */
export const prelude = String.raw`(function (compile) {
  "use strict";
  const global = globalThis;
  const { parse, stringify } = JSON;
  const { getOwnPropertyNames, freeze, defineProperty, getPrototypeOf } = Object;
  const { construct, ownKeys } = Reflect;
  const RealDate = Date;
  const realNow = Date.now;
  const realRandom = Math.random;
  const text = String;
  let impure = "";
  for (const name of ["ArrayBuffer", "SharedArrayBuffer", "Atomics", "DataView", "WebAssembly", "Intl", "WeakRef",
    "FinalizationRegistry", "Int8Array", "Uint8Array", "Uint8ClampedArray", "Int16Array", "Uint16Array", "Int32Array",
    "Uint32Array", "Float16Array", "Float32Array", "Float64Array", "BigInt64Array", "BigUint64Array", "escape",
    "unescape", "gc", "Iterator", "performance", "queueMicrotask", "navigator", "DOMException", "Temporal"])
    delete global[name];
  const silent = () => undefined;
  defineProperty(global, "console", { value: freeze({ log: silent, error: silent, warn: silent, info: silent, debug: silent }) });
  // Local time is UTC and the locale is en-US on every machine, so that equal expressions have equal values.
  const { parse: realParse, UTC } = RealDate;
  const proto = RealDate.prototype;
  for (const part of ["Date", "Day", "FullYear", "Hours", "Milliseconds", "Minutes", "Month", "Seconds"]) {
    defineProperty(proto, "get" + part, { value: proto["getUTC" + part] });
    if (part !== "Day") defineProperty(proto, "set" + part, { value: proto["setUTC" + part] });
  }
  const { toISOString, toUTCString } = proto;
  const call = Function.prototype.call;
  const bound = call.bind(call);
  const utcText = function toString() { return bound(toUTCString, this); };
  for (const name of ["toString", "toLocaleString"]) defineProperty(proto, name, { value: utcText });
  for (const name of ["toDateString", "toLocaleDateString"])
    defineProperty(proto, name, { value: function () { return bound(toISOString, this).slice(0, 10); } });
  for (const name of ["toTimeString", "toLocaleTimeString"])
    defineProperty(proto, name, { value: function () { return bound(toISOString, this).slice(11, 19); } });
  defineProperty(proto, "getTimezoneOffset", { value: function getTimezoneOffset() { return 0; } });
  defineProperty(proto, "getYear", { value: function getYear() { return bound(proto.getUTCFullYear, this) - 1900; } });
  function parseDate(words) {
    const given = text(words);
    // A date alone is UTC already; a text with a zone says its own.
    if (/^\s*[-+]?\d+(?:-\d+)*\s*$|Z\s*$|[-+]\d\d:?\d\d\s*$|\b(?:GMT|UTC?|[ECMP][SD]T)\b/i.test(given)) return realParse(given);
    const iso = realParse(given + "Z");
    return iso === iso ? iso : realParse(given + " UTC");
  }
  const clocked = new Proxy(RealDate, {
    construct(target, args, newTarget) {
      const actual = newTarget === clocked ? target : newTarget;
      if (args.length === 0) impure = "the clock";
      else if (args.length > 1) return construct(target, [UTC(...args)], actual);
      else if (typeof args[0] === "string") return construct(target, [parseDate(args[0])], actual);
      return construct(target, args, actual);
    },
    apply() { impure = "the clock"; return bound(toUTCString, new RealDate()); },
    get(target, name) { return name === "now" ? now : name === "parse" ? parseDate : target[name]; },
  });
  const now = function now() { impure = "the clock"; return realNow(); };
  defineProperty(RealDate, "now", { value: now });
  defineProperty(RealDate, "parse", { value: parseDate });
  defineProperty(proto, "constructor", { value: clocked });
  defineProperty(global, "Date", { value: clocked, writable: false, configurable: false, enumerable: false });
  const locale = "en-US";
  for (const [owner, name, at] of [[String.prototype, "localeCompare", 1], [String.prototype, "toLocaleLowerCase", 0],
    [String.prototype, "toLocaleUpperCase", 0], [Number.prototype, "toLocaleString", 0]]) {
    const real = owner[name];
    if (real !== undefined)
      defineProperty(owner, name, { value: function (...args) { args[at] = args[at] === undefined ? locale : args[at]; return bound(real, this, ...args); } });
  }
  defineProperty(Math, "random", { value: function random() { impure = "a random number"; return realRandom(); } });
  for (const each of [function* () {}, async function () {}, async function* () {}])
    defineProperty(getPrototypeOf(each), "constructor", { value: undefined });
  if (compile !== undefined) {
    // Template libraries make functions out of texts. They are compiled like expressions, by the outside, which
    // answers a function of this world, or a text that says what is wrong.
    const RealFunction = Function;
    const made = function Function(...parts) {
      const body = parts.length === 0 ? "" : text(parts[parts.length - 1]);
      let names = "";
      for (let i = 0; i < parts.length - 1; i++) names += (i === 0 ? "" : ",") + text(parts[i]);
      let answer;
      try {
        answer = compile("(function anonymous(" + names + "\n) {\n" + body + "\n})");
      } catch { answer = "the stack is exhausted"; }
      if (typeof answer !== "function") throw new SyntaxError(text(answer));
      return answer;
    };
    defineProperty(made, "prototype", { value: RealFunction.prototype, writable: false });
    defineProperty(RealFunction.prototype, "constructor", { value: made });
    defineProperty(global, "Function", { value: made, writable: false, configurable: false });
  }
  Error.stackTraceLimit = 0;
  defineProperty(Error, "prepareStackTrace", { value: undefined, writable: false, configurable: false });
  freeze(Error);
  const known = new Set();
  // Libraries see what expressions see, as globals. One that looks while it is loaded must be loaded again each time.
  const seen = ["inputs", "self", "runtime"];
  let early = false;
  function begin(...texts) {
    const values = texts.map((each) => parse(each));
    for (let i = 0; i < seen.length; i++)
      defineProperty(global, seen[i], { configurable: true, get() { early = true; return values[i]; } });
  }
  function seal() {
    for (const name of seen) {
      delete global[name];
      defineProperty(global, name, { value: undefined, writable: true, configurable: true });
    }
    for (const name of getOwnPropertyNames(global)) {
      known.add(name);
      if (!builtIns.has(name)) continue;
      const value = global[name];
      if ((typeof value !== "object" && typeof value !== "function") || value === null || value === global) continue;
      freeze(value);
      if (typeof value === "function" && typeof value.prototype === "object" && value.prototype !== null)
        freeze(value.prototype);
    }
    for (const each of [function* () {}, async function () {}, async function* () {}]) {
      const proto = getPrototypeOf(each);
      freeze(proto);
      if (proto.prototype) { freeze(proto.prototype); freeze(getPrototypeOf(proto.prototype)); }
    }
    for (const each of [[][Symbol.iterator](), ""[Symbol.iterator](), new Map().entries(), new Set().values()])
      freeze(getPrototypeOf(each));
    return early;
  }
  const builtIns = new Set(getOwnPropertyNames(global));
  function changed() {
    const names = ownKeys(global);
    for (let i = 0; i < names.length; i++) if (!known.has(names[i])) return true;
    return false;
  }
  function run(fn, inputs, self, runtime) {
    impure = "";
    try {
      global.inputs = parse(inputs);
      global.self = parse(self);
      global.runtime = parse(runtime);
      const value = fn(global.inputs, global.self, global.runtime);
      const answer = stringify(value);
      const safe = answer === undefined ? "null" : answer;
      return (changed() ? "*" : "") + (impure === "" ? "v" + safe : "i" + impure + "\n" + safe);
    } catch (error) {
      let words = "an exception without a text";
      try {
        words = typeof error === "object" && error !== null && typeof error.message === "string"
          ? text(error.name) + ": " + error.message
          : "threw " + text(error);
      } catch { words = "an exception without a text"; }
      return "e" + words;
    }
  }
  return { begin, seal, run };
})`;

/** Both engines: answers jobs in batches, and writes one byte when each begins. */
const answering = String.raw`
const { writeSync } = require("node:fs");
const vm = require("node:vm");
const wrap = (job) => job.form === "expression"
  ? '(function (inputs, self, runtime) { "use strict"; return (\n' + job.code + "\n); })"
  : '(function (inputs, self, runtime) { "use strict";\n' + job.code + "\n})";
// Interrupts are the runner's business: it closes this channel when it has ended.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => undefined);
process.on("disconnect", () => process.exit());
// The runner ends a job that takes too long. If the runner no longer exists, the process ends itself.
const guard = new vm.Script("memoirTurn()");
function guarded(work) {
  globalThis.memoirTurn = work;
  try {
    guard.runInThisContext({ timeout: data.giveUpMs });
  } catch {
    process.exit(1);
  }
}
function answers(batch, answer) {
  const replies = [];
  while (replies.length < batch.jobs.length)
    guarded(() => {
      const end = Date.now() + 50;
      do {
        const job = batch.jobs[replies.length];
        writeSync(3, ".");
        replies.push(answer({ ...job, libs: batch.libraries[job.library], inputs: batch.inputs[job.inputs] }));
      } while (replies.length < batch.jobs.length && Date.now() < end);
    });
  return replies;
}
// import() would answer errors of this outer world, and an import() in a text of the user is always a mistake.
const importing = /\bimport\b(?=(?:\s|\/\*[^]*?\*\/|\/\/[^\n]*\n)*[(.])/;
`;

/** Node's own vm. One context per expression library; compiled functions are kept with it. */
export const vmProgram = String.raw`"use strict";
${answering}
// Promises that an expression leaves behind are nobody's business.
process.on("unhandledRejection", () => undefined);
const prelude = new vm.Script(data.prelude, { filename: "prelude" });
const contexts = new Map();
// Should an object of this world ever be reached from within, there is no way from it to code.
for (const each of [function () {}, function* () {}, async function () {}, async function* () {}])
  delete Object.getPrototypeOf(each).constructor;
function contextOf(job) {
  const { libs } = job;
  const key = libs.join("\u0000");
  let known = contexts.get(key);
  if (known === undefined) {
    const context = vm.createContext(Object.create(null), { codeGeneration: { strings: false, wasm: false } });
    const compile = (source) => {
      if (importing.test(source)) return "import() is not available in expressions";
      try {
        return new vm.Script(source, { filename: "function" }).runInContext(context);
      } catch (error) {
        return error instanceof SyntaxError ? error.message : "the text is not a function";
      }
    };
    const inside = prelude.runInContext(context)(compile);
    inside.begin(job.inputs, job.self, job.runtime);
    for (const lib of libs) {
      if (importing.test(lib)) throw new SyntaxError("import() is not available in expressions");
      new vm.Script(lib, { filename: "expressionLib" }).runInContext(context);
    }
    const early = inside.seal();
    known = { context, run: inside.run, functions: new Map() };
    if (early !== true) contexts.set(key, known);
  }
  return known;
}
function lineOf(error, back) {
  const line = /:(\d+)\r?\n/.exec(String(error.stack))?.[1];
  return line === undefined ? "" : " (line " + Math.max(1, Number(line) - back) + ")";
}
function answer(job) {
  let inside;
  try {
    inside = contextOf(job);
  } catch (error) {
    return "l" + (error instanceof SyntaxError ? error.message + lineOf(error, 0) : "the expression library failed");
  }
  const source = wrap(job);
  let fn = inside.functions.get(source);
  if (fn === undefined) {
    if (importing.test(job.code)) return "simport() is not available in expressions";
    try {
      fn = new vm.Script(source, { filename: "expression" }).runInContext(inside.context);
    } catch (error) {
      return "s" + (error instanceof SyntaxError ? error.message + lineOf(error, 1) : "the text is not an expression");
    }
    if (typeof fn !== "function") return "sthe text is not an expression";
    inside.functions.set(source, fn);
  }
  let reply;
  try {
    reply = inside.run(fn, job.inputs, job.self, job.runtime);
  } catch {
    reply = "ethe stack is exhausted";
  }
  if (typeof reply !== "string") reply = "ethe answer is not a string";
  // What one expression leaves behind, no other may see.
  if (reply[0] === "*" || reply[0] === "e") contexts.delete(job.libs.join("\u0000"));
  return reply[0] === "*" ? reply.slice(1) : reply;
}
process.on("message", (batch) => process.send(answers(batch, answer)));
`;

/** QuickJS in WebAssembly: no object of Node is anywhere near, memory and stack are its own. */
export const quickJsProgram = String.raw`"use strict";
${answering}
const contexts = new Map();
let quickJs;
let deadline = 0;
const ready = load(data.quickJs).then(async (module) => {
  quickJs = await (module.getQuickJS ?? module.default.getQuickJS)();
});
function contextOf(job) {
  const { libs } = job;
  const key = libs.join("\u0000");
  let known = contexts.get(key);
  if (known !== undefined) return known;
  // Each context may take all of the memory; together they may not, however many libraries there are.
  let used = 0;
  for (const each of contexts.values()) {
    const usage = each.runtime.computeMemoryUsage();
    used += each.context.dump(usage).memory_used_size;
    usage.dispose();
  }
  if (used > data.heapBytes / 2) {
    for (const each of contexts.values()) each.free();
    contexts.clear();
  }
  const runtime = quickJs.newRuntime();
  runtime.setMemoryLimit(data.heapBytes);
  runtime.setMaxStackSize(512 * 1024);
  runtime.setInterruptHandler(() => Date.now() > deadline);
  const context = runtime.newContext();
  known = { runtime, context, functions: new Map(), free() { for (const each of known.functions.values()) each.dispose(); known.run?.dispose(); context.dispose(); runtime.dispose(); } };
  const inside = context.unwrapResult(context.evalCode("(" + data.prelude + ")()", "prelude"));
  known.run = context.getProp(inside, "run");
  const seal = context.getProp(inside, "seal");
  const begin = context.getProp(inside, "begin");
  inside.dispose();
  const given = [job.inputs, job.self, job.runtime].map((each) => context.newString(each));
  context.unwrapResult(context.callFunction(begin, context.undefined, ...given)).dispose();
  for (const each of [begin, ...given]) each.dispose();
  for (const lib of libs) {
    const result = context.evalCode(lib, "expressionLib");
    if (result.error) { const words = errorMessage(context, result.error); seal.dispose(); known.free(); throw new Error(words); }
    result.value.dispose();
  }
  const early = context.unwrapResult(context.callFunction(seal, context.undefined));
  known.once = context.dump(early) === true;
  early.dispose();
  seal.dispose();
  if (!known.once) contexts.set(key, known);
  return known;
}
function errorMessage(context, handle) {
  try {
    const error = context.dump(handle);
    handle.dispose();
    return typeof error === "object" && error !== null ? String(error.name) + ": " + String(error.message) : String(error);
  } catch { return "an exception without a text"; }
}
function classified(words, otherwise) {
  if (/interrupted/.test(words)) return "t" + words;
  if (/out of memory/i.test(words)) return "m" + words;
  return otherwise + words;
}
function answer(job) {
  deadline = Date.now() + data.timeMs;
  const key = job.libs.join("\u0000");
  let inside;
  try {
    inside = contextOf(job);
  } catch (error) {
    return classified(String(error.message), "l");
  }
  let dropped = false;
  const drop = () => { if (dropped) return; dropped = true; contexts.delete(key); try { inside.free(); } catch { /* a broken runtime is given up */ } };
  const { context } = inside;
  const source = wrap(job);
  let fn = inside.functions.get(source);
  if (fn === undefined) {
    const compiled = context.evalCode(source, "expression");
    if (compiled.error) return classified(errorMessage(context, compiled.error), "s");
    fn = compiled.value;
    inside.functions.set(source, fn);
  }
  const seen = [job.inputs, job.self, job.runtime].map((each) => context.newString(each));
  const called = context.callFunction(inside.run, context.undefined, fn, ...seen);
  for (const each of seen) each.dispose();
  if (called.error) { const words = errorMessage(context, called.error); drop(); return classified(words, "e"); }
  let reply = context.getString(called.value);
  called.value.dispose();
  if (inside.once) drop();
  if (reply[0] === "e") { drop(); return classified(reply.slice(1), "e"); }
  if (reply[0] === "*") { drop(); reply = reply.slice(1); }
  return reply;
}
process.on("message", async (batch) => {
  await ready;
  process.send(answers(batch, answer));
});
`;
