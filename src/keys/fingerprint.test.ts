import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmod,
  link,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sha256 } from "../hash/index.ts";
import { freshAsk } from "../kernel/index.ts";
import type { FileValue } from "../task/index.ts";
import { writeBackLimitMs } from "./change-time.ts";
import { createFingerprinter, type Fingerprinter } from "./fingerprint.ts";
import { type FingerprintMemo, fileMemo, memoryMemo } from "./fingerprint-memo.ts";
import type { IdentityPolicy, RemoteFiles } from "./identity.ts";

let folder: string;
let open: Fingerprinter[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "memoir-fingerprint-test-"));
  open = [];
});
afterEach(async () => {
  await Promise.all(open.map((fingerprinter) => fingerprinter.close()));
  await rm(folder, { recursive: true, force: true });
});

/** A path of bytes that are not UTF-8. */
const latin1 = (path: string) => Buffer.from(path, "latin1");
const muchLater = () => Date.now() + 60_000;

function fingerprinter(
  options: { memo?: FingerprintMemo; policy?: IdentityPolicy; remote?: RemoteFiles } = {},
) {
  const made = createFingerprinter({
    memo: options.memo ?? memoryMemo(),
    policy: options.policy ?? "content",
    ...(options.remote === undefined ? {} : { remote: options.remote }),
    now: muchLater,
  });
  open.push(made);
  return made;
}

const file = (location: string): FileValue => ({
  kind: "file",
  location,
  basename: location.split("/").pop() ?? "",
});
const directory = (location: string): FileValue => ({ ...file(location), kind: "directory" });
const textOf = async (made: Fingerprinter, value: FileValue) => (await made.identify(value, freshAsk())).text;

/** Counts how often content was read, by counting what the memo was asked to remember. */
function countingMemo(): FingerprintMemo & { reads: number } {
  const inner = memoryMemo();
  const memo = {
    reads: 0,
    get: inner.get,
    put(stamp: string, digest: Parameters<FingerprintMemo["put"]>[1]) {
      memo.reads++;
      inner.put(stamp, digest);
    },
    close: inner.close,
  };
  return memo;
}

describe("the identity of a local file", () => {
  it("is its content, wherever it lies and whatever it is called", async () => {
    await writeFile(join(folder, "a"), "hello");
    await writeFile(join(folder, "b"), "hello");
    const made = fingerprinter();
    const text = await textOf(made, file(join(folder, "a")));
    expect(text).toBe("sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
    expect(await textOf(made, file(join(folder, "b")))).toBe(text);
  });

  it("of a big file, read in a worker, is what sha256sum says", async () => {
    const path = join(folder, "big");
    execFileSync("dd", ["if=/dev/urandom", `of=${path}`, "bs=1M", "count=20"], { stdio: "ignore" });
    const said = execFileSync("sha256sum", [path], { encoding: "utf8" }).slice(0, 64);
    expect(await textOf(fingerprinter(), file(path))).toBe(`sha256:${said}`);
  });

  it("is read once and then remembered", async () => {
    await writeFile(join(folder, "a"), "hello");
    const memo = countingMemo();
    const made = fingerprinter({ memo });
    await textOf(made, file(join(folder, "a")));
    await textOf(made, file(join(folder, "a")));
    expect(memo.reads).toBe(1);
  });

  it("changes when other content of equal size takes its place with an older time", async () => {
    const path = join(folder, "a");
    await writeFile(path, "hello");
    const made = fingerprinter();
    const before = await textOf(made, file(path));
    await writeFile(join(folder, "new"), "HELLO");
    await utimes(join(folder, "new"), new Date(0), new Date(0));
    await rename(join(folder, "new"), path);
    expect(await textOf(made, file(path))).not.toBe(before);
  });

  it("stays when the file is touched", async () => {
    const path = join(folder, "a");
    await writeFile(path, "hello");
    const made = fingerprinter();
    const before = await textOf(made, file(path));
    await utimes(path, new Date(), new Date());
    expect(await textOf(made, file(path))).toBe(before);
  });

  it("is not remembered of a file that has just been written: its clock may not have ticked yet", async () => {
    await writeFile(join(folder, "a"), "hello");
    const memo = countingMemo();
    const made = createFingerprinter({ memo, policy: "content" });
    open.push(made);
    await textOf(made, file(join(folder, "a")));
    expect(memo.reads).toBe(0);
  });

  it("is another one when its owner may execute it", async () => {
    const path = join(folder, "a");
    await writeFile(path, "hello");
    const made = fingerprinter();
    const before = await made.identify(file(path), freshAsk());
    await chmod(path, 0o755);
    expect(await made.unchanged(file(path), before, freshAsk())).toBe(false);
    expect(await textOf(made, file(path))).toBe(`${before.text} executable`);
  });

  it("says precisely what is missing", async () => {
    await expect(textOf(fingerprinter(), file(join(folder, "none")))).rejects.toMatchObject({
      code: "FILE_NOT_FOUND",
      message: expect.stringContaining("none"),
    });
  });

  it("under the lenient policy is name and size, under mtime also the time", async () => {
    const path = join(folder, "a");
    await writeFile(path, "hello");
    await utimes(path, new Date(1000), new Date(1000));
    expect(await textOf(fingerprinter({ policy: "lenient" }), file(path))).toBe("lenient:5:a");
    expect(await textOf(fingerprinter({ policy: "mtime" }), file(path))).toBe("mtime:5:1000000000:a");
  });

  it("can be asked whether it still holds", async () => {
    const path = join(folder, "a");
    await writeFile(path, "hello");
    await utimes(path, new Date(1000), new Date(1000));
    const made = fingerprinter();
    const identity = await made.identify(file(path), freshAsk());
    expect(await made.unchanged(file(path), identity, freshAsk())).toBe(true);
    await writeFile(path, "HELLO");
    expect(await made.unchanged(file(path), identity, freshAsk())).toBe(false);
    await rm(path);
    expect(await made.unchanged(file(path), identity, freshAsk())).toBe(false);
  });
});

describe("the identity of a folder", () => {
  const fill = async (root: string) => {
    await mkdir(join(root, "sub"), { recursive: true });
    await writeFile(join(root, "x"), "1");
    await writeFile(join(root, "sub", "y"), "2");
  };
  const identities = async (change: (root: string) => Promise<unknown>) => {
    const made = fingerprinter();
    await fill(join(folder, "one"));
    await fill(join(folder, "two"));
    await change(join(folder, "two"));
    return [
      await textOf(made, directory(join(folder, "one"))),
      await textOf(made, directory(join(folder, "two"))),
    ];
  };

  it("is equal for equal trees", async () => {
    const [one, two] = await identities(async () => {});
    expect(two).toBe(one);
    expect(one).toMatch(/^tree:[0-9a-f]{64}$/);
  });

  it.each([
    ["a file's content", (root: string) => writeFile(join(root, "sub", "y"), "3")],
    ["a file's name", (root: string) => rename(join(root, "x"), join(root, "z"))],
    ["a new empty folder", (root: string) => mkdir(join(root, "empty"))],
    ["a missing file", (root: string) => rm(join(root, "x"))],
    ["a file's place", (root: string) => rename(join(root, "sub", "y"), join(root, "y"))],
    ["a broken link", (root: string) => symlink("nowhere", join(root, "link"))],
  ] as const)("differs by %s", async (_, change) => {
    const [one, two] = await identities(change);
    expect(two).not.toBe(one);
  });

  it.each([
    ["a file's execute bit", (root: string) => chmod(join(root, "x"), 0o755)],
    ["a link's text", (root: string) => symlink("./x", join(root, "link"))],
    ["a file in place of an equal link", (root: string) => writeFile(join(root, "link"), "1")],
    ["a name that is not UTF-8", (root: string) => rename(join(root, "x"), latin1(join(root, "caf\xe9")))],
  ] as const)("differs by %s", async (_, change) => {
    const made = fingerprinter();
    await fill(join(folder, "one"));
    await fill(join(folder, "two"));
    await symlink("x", join(folder, "one", "link"));
    await change(join(folder, "two"));
    const [one, two] = [directory(join(folder, "one")), directory(join(folder, "two"))];
    expect(await textOf(made, two)).not.toBe(await textOf(made, one));
  });

  it("covers the content of files whose names are not UTF-8, and distinguishes those names", async () => {
    const texts = new Set<string>();
    for (const [i, [name, content]] of [
      ["caf\xe9", "A"],
      ["caf\xe9", "B"],
      ["caf\xe8", "A"],
    ].entries()) {
      await mkdir(join(folder, String(i)));
      await writeFile(latin1(join(folder, String(i), name ?? "")), content ?? "");
      texts.add(await textOf(fingerprinter(), directory(join(folder, String(i)))));
    }
    expect(texts.size).toBe(3);
  });

  it("covers what a link that leads out of the folder leads to", async () => {
    await fill(join(folder, "one"));
    await mkdir(join(folder, "other"));
    await writeFile(join(folder, "other", "f"), "1");
    await symlink(join(folder, "other", "f"), join(folder, "one", "file"));
    await symlink("../other", join(folder, "one", "folder"));
    const made = fingerprinter();
    const before = await made.identify(directory(join(folder, "one")), freshAsk());
    await writeFile(join(folder, "other", "f"), "2");
    expect(await made.unchanged(directory(join(folder, "one")), before, freshAsk())).toBe(false);
    expect(await textOf(made, directory(join(folder, "one")))).not.toBe(before.text);
  });

  it("of links into each other's folders is found at once: each folder is read once", async () => {
    const made = fingerprinter();
    for (let i = 0; i < 24; i++) await mkdir(join(folder, "d", `n${i}`), { recursive: true });
    for (let i = 0; i < 23; i++)
      for (const name of ["a", "b"]) await symlink(`../n${i + 1}`, join(folder, "d", `n${i}`, name));
    expect(await textOf(made, directory(join(folder, "d")))).toMatch(/^tree:/);
    // The same, seen from outside: every folder is another one's neighbour.
    expect(await textOf(made, directory(join(folder, "d", "n0")))).toMatch(/^tree:/);
  });

  it("of a folder with a pipe in it is refused by name, and so is a device", async () => {
    await fill(join(folder, "one"));
    execFileSync("mkfifo", [join(folder, "one", "sub", "p")]);
    await expect(textOf(fingerprinter(), directory(join(folder, "one")))).rejects.toMatchObject({
      code: "FILE_NOT_REGULAR",
      message: expect.stringContaining(`${join(folder, "one", "sub", "p")} is a named pipe (FIFO)`),
    });
    await expect(textOf(fingerprinter(), file("/dev/zero"))).rejects.toMatchObject({
      code: "FILE_NOT_REGULAR",
      message: expect.stringContaining("a character device"),
    });
  });

  it("ends in spite of links in a circle", async () => {
    const [one, two] = await identities((root) => symlink(root, join(root, "sub", "up")));
    expect(two).not.toBe(one);
  });
});

describe("the identity of remote files", () => {
  const remote = (facts: Awaited<ReturnType<RemoteFiles["head"]>>): RemoteFiles => ({
    head: async () => facts,
    async *list() {
      yield { name: "b/y", sizeBytes: 2, etag: "e2" };
      yield { name: "a", sizeBytes: 1, etag: "e1" };
    },
    fetch: async (_, path) => {
      await writeFile(path, "hello");
      return { sizeBytes: 5, sha256: sha256("hello") };
    },
  });
  const object = file("s3://bucket/a.txt");

  it("is S3's checksum where it holds one: equal to that of a local copy", async () => {
    const facts = { sizeBytes: 5, etag: "e", sha256: "f".repeat(64) };
    expect(await textOf(fingerprinter({ remote: remote(facts) }), object)).toBe(`sha256:${"f".repeat(64)}`);
    expect(await textOf(fingerprinter({ remote: remote(facts), policy: "etag" }), object)).toBe("etag:e:5");
  });

  it("is the ETag and size else", async () => {
    expect(await textOf(fingerprinter({ remote: remote({ sizeBytes: 5, etag: "e" }) }), object)).toBe(
      "etag:e:5",
    );
  });

  it("of an http file holds for its URL only", async () => {
    const made = fingerprinter({ remote: remote({ sizeBytes: 5, etag: "e" }) });
    const [a, b] = [await textOf(made, file("https://h/a")), await textOf(made, file("https://h/b"))];
    expect(a).toMatch(/^http:.*:e:5$/);
    expect(b).not.toBe(a);
  });

  it("of an http file without validators is its content", async () => {
    expect(await textOf(fingerprinter({ remote: remote({ sizeBytes: 5 }) }), file("https://h/a"))).toBe(
      "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
    );
  });

  it("of a prefix is a tree, and a missing object is reported", async () => {
    const made = fingerprinter({ remote: remote(undefined) });
    expect(await textOf(made, directory("s3://bucket/p/"))).toMatch(/^tree:/);
    await expect(textOf(made, object)).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
  });
});

describe("the memo on disk", () => {
  const remembered = async () => {
    await writeFile(join(folder, "a"), "hello");
    const first = fingerprinter({ memo: fileMemo(join(folder, "memo")) });
    await textOf(first, file(join(folder, "a")));
    await first.close();
    const [name] = await readdir(join(folder, "memo"));
    return join(folder, "memo", name ?? "");
  };
  const readsAgain = async () => {
    const inner = fileMemo(join(folder, "memo"));
    let puts = 0;
    const memo: FingerprintMemo = { ...inner, put: () => void puts++ };
    await textOf(fingerprinter({ memo }), file(join(folder, "a")));
    return puts === 1;
  };

  it("outlives the process", async () => {
    await remembered();
    expect(await readsAgain()).toBe(false);
  });

  it("does not believe a damaged line", async () => {
    const path = await remembered();
    const text = await readFile(path, "latin1");
    await writeFile(path, text.replace(/ ([0-9a-f]{63})./, " $1x"));
    expect(await readsAgain()).toBe(true);
  });

  it("does not mind a torn line or a file that cannot be read", async () => {
    const path = await remembered();
    await writeFile(path, (await readFile(path, "latin1")).slice(0, 40));
    expect(await readsAgain()).toBe(true);
    await rm(path);
    await mkdir(path);
    expect(await readsAgain()).toBe(true);
  });
});

describe("a file's change time", () => {
  /** A file whose times were set back after it was written, as `touch -r` does. */
  async function rewrittenUnseen(path: string, text: string): Promise<void> {
    const { atime, mtime } = await stat(path);
    await writeFile(path, text);
    await utimes(path, atime, mtime);
  }

  it("shows that a file was written to, though size and modification time are as they were", async () => {
    const path = join(folder, "a");
    await writeFile(path, "AAAA");
    const made = fingerprinter();
    const before = await made.identify(file(path), freshAsk());
    expect(await made.unchanged(file(path), before, freshAsk())).toBe(true);
    await rewrittenUnseen(path, "BBBB");
    expect(await made.unchanged(file(path), before, freshAsk())).toBe(false);
    expect((await made.identify(file(path), freshAsk())).text).not.toBe(before.text);
  });

  it("shows the same of a file inside a folder", async () => {
    await mkdir(join(folder, "d"));
    await writeFile(join(folder, "d", "a"), "AAAA");
    const made = fingerprinter();
    const before = await made.identify(directory(join(folder, "d")), freshAsk());
    expect(await made.unchanged(directory(join(folder, "d")), before, freshAsk())).toBe(true);
    await rewrittenUnseen(join(folder, "d", "a"), "BBBB");
    expect(await made.unchanged(directory(join(folder, "d")), before, freshAsk())).toBe(false);
  });

  it("that is younger than the kernel's limit for writing back vouches for nothing", async () => {
    const path = join(folder, "a");
    await writeFile(path, "AAAA");
    const memo = countingMemo();
    const { ctimeMs } = await stat(path);
    const limit = writeBackLimitMs();
    for (const [ageMs, reads] of [
      [-5_000, 0],
      [0, 0],
      [limit - 1_000, 0],
      [limit + 1_000, 1],
    ] as const) {
      const made = createFingerprinter({ memo, policy: "content", now: () => ctimeMs + ageMs });
      open.push(made);
      await textOf(made, file(path));
      expect([ageMs, memo.reads]).toEqual([ageMs, reads]);
    }
  });

  it("means nothing where it can be set or does not exist: such files are read each time, and after the task", async () => {
    const path = join(folder, "a");
    await writeFile(path, "AAAA");
    for (const type of [0x65735546, 0x4d44, 0x01021997, 0x6969, 0x01021994]) {
      const memo = countingMemo();
      const changeTimes = { typeOf: async () => type };
      const made = createFingerprinter({ memo, policy: "content", now: muchLater, changeTimes });
      open.push(made);
      const identity = await made.identify(file(path), freshAsk());
      expect([memo.reads, identity.unsettled]).toEqual([0, true]);
      await made.remember(path, sha256("something else"));
      expect((await made.contentOf(path, freshAsk())).sha256).toBe(sha256("AAAA"));
    }
  });

  it("that others change by giving the file further names all the time does not prevent reading it", async () => {
    const path = join(folder, "a");
    await writeFile(path, Buffer.alloc(20 << 20, "x"));
    const made = fingerprinter();
    let done = false;
    const linking = (async () => {
      for (let n = 0; !done; n++) {
        await link(path, join(folder, `name-${n}`));
        await new Promise(setImmediate);
      }
    })();
    const { sha256: digest } = await made.contentOf(path, freshAsk());
    done = true;
    await linking;
    expect(digest).toBe(sha256(Buffer.alloc(20 << 20, "x")));
  });

  it("of a file that changes through a shared mapping is not trusted: its content is compared", async () => {
    const path = join(folder, "mapped");
    const script = [
      "import mmap, sys",
      "open(sys.argv[1], 'w').write('A' * 4096)",
      "f = open(sys.argv[1], 'r+b'); m = mmap.mmap(f.fileno(), 0); m[0:4] = b'AAAA'",
      "print('ready', flush=True); sys.stdin.readline()",
      "m[0:4] = b'ZZZZ'; print('done', flush=True); sys.stdin.readline()",
    ].join("\n");
    const writer = spawn("python3", ["-c", script, path], { stdio: ["pipe", "pipe", "inherit"] });
    try {
      await once(writer.stdout, "data");
      const made = createFingerprinter({ memo: memoryMemo(), policy: "content" });
      open.push(made);
      const before = await made.identify(file(path), freshAsk());
      writer.stdin.write("go\n");
      await once(writer.stdout, "data");
      expect(await made.unchanged(file(path), before, freshAsk())).toBe(false);
      expect(await textOf(made, file(path))).not.toBe(before.text);
    } finally {
      writer.kill();
    }
  });
});

describe("the kernel's limit for writing back", () => {
  const limit = (expire: string, interval: string) =>
    writeBackLimitMs((name) => (name === "dirty_expire_centisecs" ? expire : interval));

  it("is what the kernel says, with room", () => {
    expect(limit("3000\n", "500\n")).toBe(40_000);
    expect(limit("6000\n", "1500\n")).toBe(90_000);
  });

  it("is the usual one where the kernel says nothing", () => {
    expect(
      writeBackLimitMs(() => {
        throw new Error("no such file");
      }),
    ).toBe(40_000);
  });

  it("does not exist where the kernel does not write back by itself", () => {
    expect(limit("3000", "0")).toBe(Number.POSITIVE_INFINITY);
  });
});
