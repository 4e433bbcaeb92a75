import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { crc32, deflateRawSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { AppError, freshAsk } from "../../kernel/index.ts";
import { createBundleSource, createFileSource, createFolderSource, findMain } from "./index.ts";

let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "memoir-source-"));
});

afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

async function refusal(work: Promise<unknown>): Promise<AppError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof AppError) return error;
  throw new Error(`expected an AppError, got ${String(error)}`);
}

describe("folders and files", () => {
  test("documents are named as the user named the folder", async () => {
    await mkdir(join(dir, "lib"));
    await writeFile(join(dir, "lib", "a.wdl"), "version 1.0\n");
    const tree = createFolderSource({ folder: dir, name: "flows" });
    const uri = tree.resolve("lib/a.wdl", join(dir, "main.wdl"));
    expect(await tree.read(uri, freshAsk())).toEqual({ name: "flows/lib/a.wdl", text: "version 1.0\n" });
    expect(tree.hostPathOf(uri)).toBe(join(dir, "lib", "a.wdl"));
  });
  test("references are relative to the document that contains them", () => {
    const tree = createFolderSource({ folder: "/flows" });
    expect(tree.resolve("b.wdl", "/flows/sub/a.wdl")).toBe("/flows/sub/b.wdl");
    expect(tree.resolve("../b.wdl", "/flows/sub/a.wdl")).toBe("/flows/b.wdl");
    expect(tree.resolve("/abs/b.wdl", "/flows/a.wdl")).toBe("/abs/b.wdl");
    expect(tree.resolve("file:///abs/b.wdl", "/flows/a.wdl")).toBe("/abs/b.wdl");
    expect(tree.resolve("https://h.org/x/a.wdl", "/flows/a.wdl")).toBe("https://h.org/x/a.wdl");
    expect(tree.resolve("../b.wdl", "https://h.org/x/a.wdl?v=1")).toBe("https://h.org/b.wdl");
    expect(tree.resolve("/b.wdl", "https://h.org/x/a.wdl")).toBe("https://h.org/b.wdl");
    expect(tree.resolve("a.wdl", undefined)).toBe("/flows/a.wdl");
  });
  test("what is not there, or a folder, is undefined", async () => {
    const tree = createFolderSource({ folder: dir });
    expect(await tree.read(join(dir, "nothing.wdl"), freshAsk())).toBeUndefined();
    expect(await tree.read(dir, freshAsk())).toBeUndefined();
  });
  test("a tree that reaches no further than itself follows no link out of it", async () => {
    await mkdir(join(dir, "inside"));
    await writeFile(join(dir, "secret.wdl"), "secret");
    await symlink(join(dir, "secret.wdl"), join(dir, "inside", "link.wdl"));
    const tree = createFolderSource({ folder: join(dir, "inside"), name: "bundle", reach: "inside" });
    for (const uri of [join(dir, "secret.wdl"), join(dir, "inside", "link.wdl")])
      expect((await refusal(tree.read(uri, freshAsk()))).code).toBe("WORKFLOW_DOCUMENT_REFUSED");
  });
  /** `import NAME` and `workflow` on separate lines. */
  const question = {
    accepts: (name: string) => name.endsWith(".wdl"),
    name: "WDL",
    outline: async ({ text }: { readonly text: string }) => ({
      references: [...text.matchAll(/^import (.*)$/gm)].map(([, name = ""]) => name),
      workflow: /^workflow$/m.test(text),
    }),
  };
  const treeOf = async (files: Readonly<Record<string, string>>) => {
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(join(dir, name)), { recursive: true });
      await writeFile(join(dir, name), text);
    }
    return createFolderSource({ folder: dir, name: "flows" });
  };
  const workflow = (...imports: string[]) =>
    [...imports.map((name) => `import ${name}`), "workflow"].join("\n");

  test.each<[string, Readonly<Record<string, string>>, string]>([
    ["the only one", { "b.wdl": "", "notes.txt": "" }, "b.wdl"],
    ["the only one, somewhere below", { "x/y/b.wdl": "", "README.md": "" }, "x/y/b.wdl"],
    [
      "not the files that other programs leave next to it",
      { "p/a.wdl": "", "__MACOSX/p/._a.wdl": "", "p/._a.wdl": "", ".x/b.wdl": "" },
      "p/a.wdl",
    ],
    [
      "main at the top",
      { "main.wdl": workflow(), "a.wdl": workflow(), "old/main.wdl": workflow() },
      "main.wdl",
    ],
    ["the only main", { "wf/main.wdl": workflow("../tasks/t.wdl"), "tasks/t.wdl": "" }, "wf/main.wdl"],
    [
      "main and not the library above it",
      { "a/b/main.wdl": workflow("../t.wdl"), "a/t.wdl": "" },
      "a/b/main.wdl",
    ],
    [
      "main that a test imports",
      { "main.wdl": workflow(), "tests/t.wdl": workflow("../main.wdl") },
      "main.wdl",
    ],
    [
      "what imports all others",
      { "p.wdl": workflow("lib/a.wdl"), "lib/a.wdl": "import b.wdl", "lib/b.wdl": "" },
      "p.wdl",
    ],
    ["what imports other workflows", { "p.wdl": workflow("a.wdl"), "a.wdl": workflow() }, "p.wdl"],
    ["main of tasks where there are only tasks", { "main.wdl": "", "a.wdl": "" }, "main.wdl"],
  ])("the main document is %s", async (_, files, expected) => {
    expect(await findMain(await treeOf(files), question, freshAsk())).toBe(join(dir, expected));
  });

  test.each<[string, Readonly<Record<string, string>>, RegExp]>([
    ["there is none", { "notes.txt": "" }, /there is no WDL document in it/],
    ["there are two", { "a.wdl": workflow(), "b.wdl": "" }, /none is called main: a\.wdl, b\.wdl; say which/],
    ["there are two below", { "x/a.wdl": workflow(), "x/b.wdl": workflow() }, /main: x\/a\.wdl, x\/b\.wdl/],
    [
      "there are two called main",
      { "a/main.wdl": workflow(), "b/main.wdl": workflow() },
      /2 documents called main: a\/main\.wdl, b\/main\.wdl/,
    ],
    [
      "main is a library",
      { "main.wdl": "", "wf.wdl": workflow("main.wdl") },
      /main\.wdl has no workflow, and another document has a workflow: wf\.wdl/,
    ],
    [
      "main is a library below",
      { "lib/main.wdl": "", "wf.wdl": workflow("lib/main.wdl") },
      /lib\/main\.wdl has no workflow.*: wf\.wdl/,
    ],
    [
      "main is another's part",
      { "lib/main.wdl": workflow(), "wf.wdl": workflow("lib/main.wdl") },
      /lib\/main\.wdl is imported by wf\.wdl/,
    ],
    [
      "a test imports everything",
      { "x.wdl": workflow(), "tests/t.wdl": workflow("../x.wdl") },
      /several workflows.*tests\/t\.wdl, x\.wdl/,
    ],
    [
      "the importer is a library",
      { "a.wdl": "import b.wdl", "b.wdl": workflow() },
      /none is called main: a\.wdl/,
    ],
    [
      "they import each other",
      { "a.wdl": workflow("b.wdl"), "b.wdl": workflow("a.wdl") },
      /none is called main: a\.wdl, b\.wdl/,
    ],
    [
      "one is not imported",
      { "a.wdl": workflow("b.wdl"), "b.wdl": "", "c.wdl": "" },
      /none is called main: a\.wdl, c\.wdl/,
    ],
  ])("no main document is guessed where %s", async (_, files, expected) => {
    const { code, message } = await refusal(findMain(await treeOf(files), question, freshAsk()));
    expect([code, message]).toEqual(["WORKFLOW_NOT_FOUND", expect.stringMatching(expected)]);
  });

  test("a folder below is listed with everything in it, and what documents import does not matter", async () => {
    await mkdir(join(dir, "bin", "sub"), { recursive: true });
    await writeFile(join(dir, "bin", ".hidden"), "");
    await writeFile(join(dir, "bin", "tool.py"), "");
    await symlink("tool.py", join(dir, "bin", "link"));
    await symlink("nowhere", join(dir, "bin", "broken"));
    const tree = createFolderSource({ folder: dir });
    const bin = tree.resolve("bin", undefined);
    expect((await tree.listFolder(bin, freshAsk()))?.map(({ name, kind }) => `${name} ${kind}`)).toEqual([
      ".hidden file",
      "link file",
      "sub directory",
      "tool.py file",
    ]);
    expect(await tree.listFolder(join(dir, "bin", "tool.py"), freshAsk())).toBeUndefined();
    expect(await tree.listFolder(join(dir, "nothing"), freshAsk())).toBeUndefined();
    expect(await tree.listFolder("https://127.0.0.1/bin", freshAsk())).toBeUndefined();
    const single = createFileSource({ file: join(dir, "x.wdl") });
    expect(await single.listFolder(bin, freshAsk())).toHaveLength(4);
  });

  test("a folder outside other people's documents is not listed", async () => {
    await mkdir(join(dir, "docs"));
    await mkdir(join(dir, "secret"));
    await symlink(join(dir, "secret"), join(dir, "docs", "way"));
    const tree = createFolderSource({ folder: join(dir, "docs"), reach: "inside" });
    for (const folder of ["../secret", "way", "/etc"])
      expect((await refusal(tree.listFolder(tree.resolve(folder, undefined), freshAsk()))).code).toBe(
        "WORKFLOW_DOCUMENT_REFUSED",
      );
  });

  test("a single file lists itself", async () => {
    const tree = createFileSource({ file: join(dir, "x.wdl"), name: "x.wdl" });
    expect(await tree.list("all", freshAsk())).toEqual([join(dir, "x.wdl")]);
  });
});

describe("http", () => {
  let server: Server;
  let base: string;

  beforeAll(async () => {
    server = createServer((request, response) => {
      if (request.url === "/lib/a.wdl") response.end("version 1.0\n");
      else if (request.url === "/moved.wdl") response.writeHead(302, { location: "/lib/a.wdl" }).end();
      else if (request.url === "/broken.wdl") response.writeHead(500).end();
      else if (request.url === "/huge.wdl") response.end(Buffer.alloc(17 * 1024 * 1024, 32));
      else response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  test("documents are fetched, redirects followed", async () => {
    const tree = createFolderSource({ folder: dir });
    expect(await tree.read(`${base}/moved.wdl`, freshAsk())).toMatchObject({ text: "version 1.0\n" });
    expect(await tree.read(`${base}/none.wdl`, freshAsk())).toBeUndefined();
    expect(tree.hostPathOf(`${base}/lib/a.wdl`)).toBeUndefined();
  });
  test("what goes wrong is said", async () => {
    const tree = createFolderSource({ folder: dir });
    expect((await refusal(tree.read(`${base}/broken.wdl`, freshAsk()))).message).toContain("answered 500");
    expect((await refusal(tree.read(`${base}/huge.wdl`, freshAsk()))).code).toBe("WORKFLOW_DOCUMENT_REFUSED");
    expect((await refusal(tree.read("http://127.0.0.1:1/a.wdl", freshAsk()))).code).toBe(
      "WORKFLOW_DOCUMENT_UNREACHABLE",
    );
    const closed = createFolderSource({ folder: dir, network: "refused" });
    expect((await refusal(closed.read(`${base}/lib/a.wdl`, freshAsk()))).code).toBe(
      "WORKFLOW_DOCUMENT_UNREACHABLE",
    );
  });
});

interface ZipPart {
  readonly name: string;
  readonly content?: string | Buffer;
  /** Unix mode with the file type, as archivers store it. */
  readonly mode?: number;
}

/** Just enough of a zip writer to make archives that no honest tool makes. */
function zip(parts: readonly ZipPart[]): Buffer {
  const locals: Buffer[] = [];
  const centrals: Buffer[] = [];
  let offset = 0;
  for (const { name, content = "", mode = 0o100644 } of parts) {
    const data = Buffer.from(content);
    const packed = deflateRawSync(data);
    const path = Buffer.from(name);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(0x800, 2);
    common.writeUInt16LE(8, 4);
    common.writeUInt32LE(crc32(data), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(data.length, 18);
    common.writeUInt16LE(path.length, 22);
    const local = Buffer.concat([Buffer.from("PK\x03\x04"), common, path, packed]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(((mode << 16) >>> 0) >>> 0, 6);
    tail.writeUInt32LE(offset, 10);
    const central = Buffer.concat([Buffer.from("PK\x01\x02"), Buffer.from([20, 3]), common, tail, path]);
    locals.push(local);
    centrals.push(central);
    offset += local.length;
  }
  const directory = Buffer.concat(centrals);
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", 0, "latin1");
  end.writeUInt16LE(parts.length, 8);
  end.writeUInt16LE(parts.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, directory, end]);
}

describe("bundles", () => {
  async function bundle(parts: readonly ZipPart[], limits = {}) {
    const file = join(dir, "flow.zip");
    await writeFile(file, zip(parts));
    return createBundleSource({ file, name: "flow.zip", into: join(dir, "unpacked"), limits }, freshAsk());
  }

  test("its documents are read from where it was unpacked", async () => {
    const tree = await bundle([
      { name: "main.wdl", content: 'import "lib/a.wdl"' },
      { name: "lib/", mode: 0o040755 },
      { name: "lib/a.wdl", content: "version 1.0" },
    ]);
    const main = join(dir, "unpacked", "main.wdl");
    expect(await tree.list("top", freshAsk())).toEqual([main]);
    expect(await tree.read(tree.resolve("lib/a.wdl", main), freshAsk())).toEqual({
      name: "flow.zip/lib/a.wdl",
      text: "version 1.0",
    });
    expect((await refusal(tree.read(tree.resolve("/etc/passwd", main), freshAsk()))).code).toBe(
      "WORKFLOW_DOCUMENT_REFUSED",
    );
  });
  test("one folder at the top is the top", async () => {
    const tree = await bundle([{ name: "repo-main/main.wdl", content: "x" }]);
    expect(await tree.list("all", freshAsk())).toEqual([join(dir, "unpacked", "repo-main", "main.wdl")]);
  });

  test.each<[string, readonly ZipPart[]]>([
    ["a way out", [{ name: "a.wdl" }, { name: "../evil.wdl", content: "x" }]],
    ["a hidden way out", [{ name: "lib/../../evil.wdl", content: "x" }]],
    ["an absolute path", [{ name: "/etc/evil.wdl", content: "x" }]],
    ["backslashes", [{ name: "..\\evil.wdl", content: "x" }]],
    ["a link", [{ name: "link.wdl", content: "/etc/passwd", mode: 0o120777 }]],
    [
      "the same name twice",
      [
        { name: "a.wdl", content: "1" },
        { name: "a.wdl", content: "2" },
      ],
    ],
    ["a bomb", [{ name: "bomb.wdl", content: Buffer.alloc(40 * 1024 * 1024) }]],
  ])("%s is refused and leaves nothing", async (_, parts) => {
    const error = await refusal(bundle(parts, { ratio: 10 }));
    expect(error.code).toBe("WORKFLOW_BUNDLE_UNSAFE");
    expect(await readdir(dir)).toEqual(["flow.zip"]);
  });
  test("too many entries and too many bytes are refused", async () => {
    const parts = Array.from({ length: 5 }, (_, index) => ({ name: `f${index}.wdl`, content: "0123456789" }));
    expect((await refusal(bundle(parts, { entries: 4 }))).message).toContain("more than 4 entries");
    expect((await refusal(bundle(parts, { totalBytes: 45 }))).message).toContain(
      "more than 45 bytes unpacked",
    );
  });
  test("a damaged archive is said to be one", async () => {
    const file = join(dir, "flow.zip");
    const whole = zip([{ name: "main.wdl", content: "x".repeat(1000) }]);
    for (const broken of [Buffer.from("not a zip"), whole.subarray(0, whole.length - 30)]) {
      await writeFile(file, broken);
      const error = await refusal(createBundleSource({ file, into: join(dir, "u") }, freshAsk()));
      expect(error.code).toBe("WORKFLOW_BUNDLE_DAMAGED");
    }
    expect(
      (await refusal(createBundleSource({ file: join(dir, "none.zip"), into: join(dir, "u") }, freshAsk())))
        .code,
    ).toBe("WORKFLOW_NOT_FOUND");
    expect(await readFile(file)).toBeInstanceOf(Buffer);
  });
});

describe("references that lead nowhere", () => {
  test.each([
    "file://host/x.wdl",
    "file:///%2Fx.wdl",
    "file:///a%00b",
    "http://[bad/x",
    "https://",
    "ftp://h/x",
    "s3://b/x",
    "/proc/self/mem",
    "a\0b",
    "x".repeat(5000),
  ])("%j does not exist, or is reported as an error", async (reference) => {
    const tree = createFolderSource({ folder: dir });
    const read = tree.read(tree.resolve(reference, join(dir, "main.wdl")), freshAsk());
    const found = await read.catch((error: unknown) => error);
    if (found !== undefined) expect(found).toBeInstanceOf(AppError);
  });
});
