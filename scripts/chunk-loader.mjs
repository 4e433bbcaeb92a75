// dist/loader.js, by which the command and the packages for programs load their chunks: scripts with a code cache, so
// that what was compiled once is not compiled at each start. Node's own compile cache (22 and later) has no scripts for
// Node 20, and 90 modules of ES cost it a millisecond each. A chunk is a function of `require`, as CommonJS modules are.
//
// The cache is a folder next to dist/, whose owner may change the code anyway; where that folder cannot be written, one
// in the user's cache folder. It is used only where nobody else may write, by exactly this build and this Node. Its
// bytes are compared with a digest, because V8 does not notice all damage. Trouble with it only costs its time.

// Imported, each of Node's modules is made an ES module first, for which node:fs loads all streams.
const builtin = (name) => process.getBuiltinModule(name);
const {
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} = builtin("node:fs");
const { createRequire } = builtin("node:module");
const { dirname, join } = builtin("node:path");
const { fileURLToPath, pathToFileURL } = builtin("node:url");
const { setFlagsFromString } = builtin("node:v8");
const { Script } = builtin("node:vm");

// Most commands end within a second, and a third of that went into optimizing code that was hardly run again (Node 20: a
// warm run of a thousand calls took 0.55 s of processor time with V8's 132 KB, 0.36 s with this). What runs long gets
// there milliseconds later. Only Node 20's V8 knows the flag: later ones print an error for it, and count invocations.
const isBudgetKnown = process.versions.v8.startsWith("11.");

/** Set by scripts/build.mjs: a digest of all chunks. */
const build = "MEMOIR_BUILD";
/** By it too: the chunks of the entries, which other chunks name as the entries themselves. */
const entryChunks = { MEMOIR_ENTRIES: "" };
const folder = dirname(fileURLToPath(import.meta.url));
const requireOutside = createRequire(import.meta.url);
/** Packages outside the bundle; the chunks themselves are scripts, in which `import()` has no meaning. */
const importOutside = (name) => import(name);
const resolveOutside = (name) => import.meta.resolve(name);

/** By name; one for all entries, which share their classes. */
const chunks = new Map();

/**
 * The exports of a chunk of this folder. `use` names the code cache, one for each use, because each loads other chunks;
 * undefined: none. `given`: modules that only `import` can load, by name.
 */
export function load(name, { use, given = {} } = {}) {
  // Before the first chunk, since V8 takes code back only under the flags with which it was compiled.
  if (use !== undefined && isBudgetKnown) setFlagsFromString("--interrupt-budget=600000");
  const cache = use === undefined || process.env["MEMOIR_CODE_CACHE"] === "off" ? undefined : openCache(use);
  const fresh = new Map();

  const take = (wanted) => {
    const path = entryChunks[wanted] ?? wanted;
    const known = chunks.get(path);
    if (known !== undefined) return known.exports;
    const module = { exports: {} };
    chunks.set(path, module);
    const filename = join(folder, path);
    const cachedData = cache?.code.get(path);
    const script = new Script(readFileSync(filename, "latin1"), { filename, cachedData });
    if (cachedData === undefined || script.cachedDataRejected) fresh.set(path, script);
    const urlOf = () => pathToFileURL(filename).href;
    const wasLoading = requireChunk.isLoading;
    requireChunk.isLoading = true;
    try {
      script.runInThisContext()(module.exports, requireChunk, module, importChunk, urlOf, resolveOutside);
    } finally {
      requireChunk.isLoading = wasLoading;
    }
    return module.exports;
  };
  const requireChunk = (wanted) => {
    if (isChunk(wanted)) return take(wanted.slice(2));
    return given[wanted] ?? (lateModules.has(wanted) ? whenUsed(wanted) : requireOutside(wanted));
  };
  /** Whether functions get the names that they have in the source; see `nameOnlyWhileLoading` of scripts/build.mjs. */
  requireChunk.isLoading = false;
  const importChunk = (wanted) =>
    isChunk(wanted) ? Promise.resolve(wanted).then(requireChunk) : importOutside(wanted);

  if (cache !== undefined)
    process.once("exit", (code) => {
      if (code === 0 && fresh.size > 0) keep(cache, fresh);
    });
  return take(name);
}

/** Node's modules that take milliseconds to load, and of which most commands use nothing. */
const lateModules = new Set(
  "child_process crypto dgram http http2 https net perf_hooks readline readline/promises tls vm worker_threads zlib"
    .split(" ")
    .map((name) => `node:${name}`),
);

/** The module, loaded when something of it is asked for. */
function whenUsed(name) {
  // Kept, since Node's `require` takes longer than most of what is asked for.
  let module;
  const loaded = () => {
    module ??= requireOutside(name);
    return module;
  };
  return new Proxy(Object.create(null), {
    get: (_, key) => loaded()[key],
    has: (_, key) => key in loaded(),
    ownKeys: () => Reflect.ownKeys(loaded()),
    getOwnPropertyDescriptor: (_, key) => {
      const found = Reflect.getOwnPropertyDescriptor(loaded(), key);
      return found && { ...found, configurable: true };
    },
  });
}

const isChunk = (name) => name.startsWith("./");

// --- the code cache

function openCache(use) {
  for (const place of places()) {
    const path = join(place, `${use}.bin`);
    const code = read(path);
    if (code !== undefined) return { use, code };
  }
  return { use, code: new Map() };
}

/** In which it may be, the best first. */
function* places() {
  const name = `${build}-${process.version}-${process.arch}`;
  yield join(folder, "..", ".code-cache", name);
  const { XDG_CACHE_HOME, HOME } = process.env;
  if (XDG_CACHE_HOME?.startsWith("/")) yield join(XDG_CACHE_HOME, "memoir", "code", name);
  else if (HOME?.startsWith("/")) yield join(HOME, ".cache", "memoir", "code", name);
}

const digestBytes = 32;

/** Digest, length of the table, table of [name, length], code. Undefined: there is none that can be trusted. */
function read(path) {
  let file;
  try {
    file = openSync(path, "r");
    const { uid, mode } = fstatSync(file);
    // Code that somebody else could have written is not run.
    const trusted = uid === process.getuid?.() || uid === statSync(folder).uid || uid === 0;
    if (!trusted || (mode & 0o022) !== 0) return undefined;
    const bytes = readFileSync(file);
    if (!digest(bytes.subarray(digestBytes)).equals(bytes.subarray(0, digestBytes))) return undefined;
    const start = digestBytes + 4 + bytes.readUInt32LE(digestBytes);
    const code = new Map();
    let from = start;
    for (const [name, length] of JSON.parse(bytes.toString("utf8", digestBytes + 4, start))) {
      code.set(name, bytes.subarray(from, from + length));
      from += length;
    }
    return code;
  } catch {
    return undefined;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/** Adds what was compiled now, functions that were needed included. */
function keep({ use, code }, fresh) {
  for (const place of places()) {
    const path = join(place, `${use}.bin`);
    try {
      mkdirSync(place, { recursive: true, mode: 0o755 });
      const all = new Map([...(read(path) ?? code)]);
      for (const [name, script] of fresh) all.set(name, script.createCachedData());
      const table = Buffer.from(JSON.stringify([...all].map(([name, bytes]) => [name, bytes.length])));
      const length = Buffer.alloc(4);
      length.writeUInt32LE(table.length);
      const body = Buffer.concat([length, table, ...all.values()]);
      const temporary = `${path}.${process.pid}.new`;
      try {
        writeFileSync(temporary, Buffer.concat([digest(body), body]), { mode: 0o644, flag: "wx" });
        renameSync(temporary, path);
      } finally {
        rmSync(temporary, { force: true });
      }
      forgetOld(dirname(place));
      return;
    } catch {
      // Not to be written here: the next place, or none.
    }
  }
}

/** Of earlier builds, and of Nodes that are no longer used; one day, since several may be in use. */
function forgetOld(root) {
  const old = Date.now() - 86_400_000;
  for (const name of readdirSync(root)) {
    const path = join(root, name);
    if (!name.startsWith(build) && statSync(path).mtimeMs < old)
      rmSync(path, { recursive: true, force: true });
  }
}

function digest(bytes) {
  return requireOutside("node:crypto").createHash("sha256").update(bytes).digest();
}
