/** Fetching, listing, finding and deleting models: folders, git, archives (also hostile ones) and servers. */
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { create as createTar, Header } from "tar";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { freshAsk, isAppError, messageOf } from "../../src/kernel/index.ts";
import {
  catalogRow,
  createRunner,
  deleteModel,
  type FetchedModel,
  fetchModel,
  findModel,
  listModels,
  parseFetchSource,
} from "../../src/models/index.ts";
import { removeFolder } from "../remove-folder.ts";
import { startErsiliaPack } from "../servers/ersilia-pack.ts";
import { describeWith } from "../servers/requirement.ts";

const fixtures = join(import.meta.dirname, "..", "fixtures", "models");
const env = { PATH: process.env["PATH"] ?? "", HOME: tmpdir() };
const git = { name: "git", programs: ["git"], debianPackages: ["git"] };
const zip = { name: "zip", programs: ["zip"], debianPackages: ["zip"] };

let work: string;
let home: string;

beforeEach(() => {
  work = mkdtempSync(join(tmpdir(), "memoir-fetch-test-"));
  home = join(work, "home");
});
afterEach(() => removeFolder(work));

const fetchFrom = (text: string, version?: string): Promise<FetchedModel> =>
  fetchModel(
    {
      source: parseFetchSource(text, { cwd: work, ...(version === undefined ? {} : { version }) }),
      home,
      env,
    },
    freshAsk(),
  );
const failureOf = (work: Promise<unknown>) => work.then(() => undefined).catch((error: unknown) => error);
const find = (name: string) => findModel({ name, home, cwd: work }, freshAsk());

/** A copy of a fixture model that a test may change. */
function copyOf(name: string, to = join(work, name)): string {
  cpSync(join(fixtures, name), to, { recursive: true });
  return to;
}

/** Nothing half-done may stay. */
function installedFiles(): string[] {
  try {
    return readdirSync(join(home, "model-packages")).sort();
  } catch {
    return [];
  }
}

describe("a folder", () => {
  test("becomes a model that is found by id and by slug, listed, runs, and can be deleted", async () => {
    const { model, replaced } = await fetchFrom(join(fixtures, "letters"));
    expect(replaced).toBe("nothing");
    expect(model).toMatchObject({
      id: "eos0let",
      slug: "letter-counts",
      release: "v1.0.0",
      columns: [
        { name: "length", type: "integer" },
        { name: "carbon_share", type: "float" },
      ],
      exampleInputs: ["CCO", "CCC", "C"],
      reusable: { kind: "reusable" },
    });
    expect((await find("eos0let")).origin?.from).toBe(join(fixtures, "letters"));
    const found = await find("letter-counts");
    const runner = createRunner(found, { env });
    await runner.open(freshAsk());
    expect(await runner.predict(["CC"], freshAsk())).toEqual([{ kind: "computed", values: [2, 1] }]);
    await runner.close();

    const { models } = await listModels(home, freshAsk());
    expect(models.map((one) => one.id)).toEqual(["eos3b5e", "rdkit-descriptors", "eos0let"]);
    expect(catalogRow(found)).toMatchObject({ identifier: "eos0let", runner: "script", outputDimension: 2 });
    await deleteModel({ name: "letter-counts", home }, freshAsk());
    expect((await listModels(home, freshAsk())).models.map((one) => one.id)).not.toContain("eos0let");
    expect(installedFiles()).toEqual([]);
  });

  test("fetched again replaces the former, and says when files changed without a new release", async () => {
    const folder = copyOf("letters");
    await fetchFrom(folder);
    expect((await fetchFrom(folder)).replaced).toBe("same");
    writeFileSync(join(folder, "model", "framework", "notes.txt"), "changed");
    expect((await fetchFrom(folder)).replaced).toBe("changed");
    const metadata = join(folder, "metadata.yml");
    writeFileSync(metadata, readFileSync(metadata, "utf8").replace("v1.0.0", "v2.0.0"));
    expect((await fetchFrom(folder)).replaced).toBe("other-release");
    expect((await find("eos0let")).release).toBe("v2.0.0");
    expect(readdirSync(join(home, "model-packages", "eos0let"))).toHaveLength(1);
  });

  test("is copied without tools' litter", async () => {
    const folder = copyOf("letters");
    mkdirSync(join(folder, ".git"));
    mkdirSync(join(folder, "model", "__pycache__"));
    const { model } = await fetchFrom(folder);
    const installed = model.source.kind === "folder" ? model.source.path : "";
    expect(readdirSync(installed).sort()).toEqual([".memoir-fetch.json", "metadata.yml", "model"]);
    expect(readdirSync(join(installed, "model"))).toEqual(["framework"]);
  });

  test.each([
    ["metadata.yml", /missing: metadata\.yml \(or metadata\.json\)/],
    ["model/framework/run.sh", /missing: model\/framework\/run\.sh/],
    ["model/framework/columns", /missing: model\/framework\/columns\/run_columns\.csv/],
  ])("without %s is refused and says so", async (name, words) => {
    const folder = copyOf("letters");
    rmSync(join(folder, name), { recursive: true });
    const error = await failureOf(fetchFrom(folder));
    expect(isAppError(error, "MODEL_PACKAGE_INVALID")).toBe(true);
    expect(String(error)).toMatch(words);
    expect(installedFiles()).toEqual([]);
  });

  test.each([
    ["metadata.yml", "Identifier: ../evil\n", /Identifier/],
    ["metadata.yml", "- a\n- list\n", /expected names and values/],
    ["metadata.yml", "a: [\n", /metadata\.yml/],
    [
      "model/framework/columns/run_columns.csv",
      "name,type\nx,double\n",
      /expected float, integer or string, got double/,
    ],
    ["model/framework/columns/run_columns.csv", "name,type\nx,float\nx,float\n", /x is there twice/],
    ["model/framework/columns/run_columns.csv", "name,type\nkey,float\n", /cannot be named "key"/],
    ["model/framework/columns/run_columns.csv", "columns\nx\n", /expected the header/],
    ["model/framework/columns/run_columns.csv", "name,type\n", /names no column/],
  ])("with %s = %j is refused and says so", async (name, content, words) => {
    const folder = copyOf("letters");
    writeFileSync(join(folder, name), content);
    const error = await failureOf(fetchFrom(folder));
    expect(isAppError(error, "MODEL_PACKAGE_INVALID")).toBe(true);
    expect(String(error)).toMatch(words);
  });

  test("with a link in it is refused", async () => {
    const folder = copyOf("letters");
    symlinkSync("/etc/passwd", join(folder, "model", "passwd"));
    const error = await failureOf(fetchFrom(folder));
    expect(isAppError(error, "MODEL_PACKAGE_INVALID")).toBe(true);
    expect(String(error)).toContain("model/passwd is a link to /etc/passwd");
  });

  test("with Git-LFS pointers is installed for look-ups only, until it is fetched whole", async () => {
    const folder = copyOf("pointer");
    const { lookUpsOnly, replaced } = await fetchFrom(folder);
    expect(replaced).toBe("nothing");
    expect(lookUpsOnly?.code).toBe("MODEL_LFS_POINTER");
    expect(String(lookUpsOnly)).toContain("weights.bin");
    expect((await find("eos0lfs")).columns.length).toBeGreaterThan(0);
    writeFileSync(join(folder, "model", "checkpoints", "weights.bin"), "weights");
    const whole = await fetchFrom(folder);
    expect([whole.replaced, whole.lookUpsOnly]).toEqual(["nothing", undefined]);
  });

  test("with Git-LFS pointers is refused in place of a whole model, which stays", async () => {
    const folder = copyOf("letters");
    await fetchFrom(folder);
    mkdirSync(join(folder, "model", "checkpoints"));
    cpSync(
      join(fixtures, "pointer", "model", "checkpoints", "weights.bin"),
      join(folder, "model", "checkpoints", "weights.bin"),
    );
    expect(isAppError(await failureOf(fetchFrom(folder)), "MODEL_LFS_POINTER")).toBe(true);
    expect((await find("eos0let")).id).toBe("eos0let");
  });

  test("that does not exist, or is a file, is distinguished from a folder that is not a model", async () => {
    const nowhere = await failureOf(fetchFrom("nowhere"));
    expect(isAppError(nowhere, "FILE_NOT_FOUND")).toBe(true);
    expect(messageOf(nowhere)).toBe(`reading the model in ${join(work, "nowhere")}: no such folder`);
    writeFileSync(join(work, "file.txt"), "x");
    expect(String(await failureOf(fetchFrom("file.txt")))).toContain("expected a folder, got a file");
  });

  test("with metadata.json and without a release is version v1", async () => {
    const folder = copyOf("letters");
    rmSync(join(folder, "metadata.yml"));
    writeFileSync(
      join(folder, "metadata.json"),
      JSON.stringify({ Identifier: "my-model", Task: ["Annotation"] }),
    );
    expect((await fetchFrom(folder)).model).toMatchObject({
      id: "my-model",
      slug: "my-model",
      release: "v1",
    });
  });

  test("of a generative or variable model is never cached, with the reason", async () => {
    const { model } = await fetchFrom(join(fixtures, "dice"));
    expect(model.reusable).toMatchObject({ kind: "never", reason: expect.stringContaining("variable") });
  });

  test("used where it lies gets another release whenever its files change", async () => {
    const folder = copyOf("letters");
    const first = await find("./letters");
    expect(first.release).toMatch(/^v1\.0\.0-local-[0-9a-f]{12}$/);
    expect((await find(folder)).release).toBe(first.release);
    writeFileSync(join(folder, "model", "framework", "run.sh"), "true\n");
    expect((await find(folder)).release).not.toBe(first.release);
  });
});

describe("names", () => {
  test("a misspelt model is answered with the nearest one", async () => {
    const error = await failureOf(find("molecular-wieght"));
    expect(isAppError(error, "MODEL_NOT_FOUND")).toBe(true);
    expect(String(error)).toContain("did you mean molecular-weight?");
  });

  test("a slug that two models share asks for the id", async () => {
    await fetchFrom(join(fixtures, "letters"));
    const other = copyOf("letters", join(work, "other"));
    const metadata = join(other, "metadata.yml");
    writeFileSync(metadata, readFileSync(metadata, "utf8").replace("eos0let", "eos0two"));
    await fetchFrom(other);
    expect(String(await failureOf(find("letter-counts")))).toContain("use the id");
    expect((await find("eos0two")).id).toBe("eos0two");
  });

  test("an id that is built in needs no fetching and cannot be deleted", async () => {
    const { model, replaced } = await fetchFrom("eos3b5e");
    expect([model.source.kind, replaced]).toEqual(["builtin", "builtin"]);
    const error = await failureOf(deleteModel({ name: "eos3b5e", home }, freshAsk()));
    expect(isAppError(error, "MODEL_BUILTIN")).toBe(true);
  });

  test("what cannot be read is listed as broken and can be deleted", async () => {
    const { model } = await fetchFrom(join(fixtures, "letters"));
    if (model.source.kind === "folder") rmSync(join(model.source.path, "metadata.yml"));
    const { broken } = await listModels(home, freshAsk());
    expect(broken.map((one) => one.id)).toEqual(["eos0let"]);
    expect(isAppError(await failureOf(find("eos0let")), "MODEL_PACKAGE_INVALID")).toBe(true);
    await deleteModel({ name: "eos0let", home }, freshAsk());
    expect((await listModels(home, freshAsk())).broken).toEqual([]);
  });
});

describeWith([git], "a git repository", () => {
  const run = (cwd: string, ...args: string[]) =>
    execFileSync("git", ["-c", "user.name=Test", "-c", "user.email=test@example.org", ...args], {
      cwd,
    }).toString();
  let url: string;

  beforeEach(() => {
    const folder = copyOf("letters", join(work, "source"));
    run(folder, "init", "--quiet", "--initial-branch=main");
    run(folder, "add", ".");
    run(folder, "commit", "--quiet", "-m", "first");
    run(folder, "tag", "v1.0.0");
    const metadata = join(folder, "metadata.yml");
    writeFileSync(metadata, readFileSync(metadata, "utf8").replace("v1.0.0", "v2.0.0"));
    run(folder, "commit", "--quiet", "-am", "second");
    run(work, "clone", "--quiet", "--bare", "source", "remote.git");
    url = `file://${join(work, "remote.git")}`;
  });

  test("is cloned at its default branch, with the commit kept as its revision", async () => {
    const { model } = await fetchFrom(url);
    expect(model.release).toBe("v2.0.0");
    expect(model.origin?.revision).toBe(run(join(work, "source"), "rev-parse", "HEAD").trim());
    const installed = model.source.kind === "folder" ? model.source.path : "";
    expect(readdirSync(installed)).not.toContain(".git");
  });

  test("is cloned at the version that was asked for", async () => {
    expect((await fetchFrom(url, "v1.0.0")).model.release).toBe("v1.0.0");
  });

  test("without that version, or that is not there, is an error with git's words", async () => {
    const missing = await failureOf(fetchFrom(url, "v9"));
    expect(isAppError(missing, "MODEL_FETCH_FAILED")).toBe(true);
    expect(String(missing)).toContain("v9");
    const gone = await failureOf(fetchFrom(`file://${join(work, "gone.git")}`));
    expect(isAppError(gone, "MODEL_FETCH_FAILED")).toBe(true);
    expect(installedFiles()).toEqual([]);
  });

  test("behind a transport that runs commands is not opened", async () => {
    const source = { kind: "git", url: `ext::sh -c "touch ${join(work, "pwned")}"` } as const;
    const error = await failureOf(fetchModel({ source, home, env }, freshAsk()));
    expect(isAppError(error, "MODEL_FETCH_FAILED")).toBe(true);
    expect(readdirSync(work)).not.toContain("pwned");
  });
});

describe("a .tar.gz archive", () => {
  const tarOf = async (name: string, files: string[]) => {
    await createTar({ gzip: true, file: join(work, name), cwd: work }, files);
    return join(work, name);
  };
  /** An archive of entries that tar programs would not write. */
  const craft = (
    name: string,
    entries: readonly {
      path: string;
      type: "File" | "SymbolicLink" | "Link";
      link?: string;
      body?: string;
    }[],
  ) => {
    const blocks = entries.flatMap(({ path, type, link, body = "" }) => {
      const header = new Header({
        path,
        type,
        mode: 0o644,
        size: body.length,
        ...(link === undefined ? {} : { linkpath: link }),
      });
      const block = Buffer.alloc(512);
      header.encode(block, 0);
      return [block, Buffer.from(body), Buffer.alloc((512 - (body.length % 512)) % 512)];
    });
    writeFileSync(join(work, name), gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)])));
    return join(work, name);
  };

  test("is unpacked, with the single folder around it or without, and runs", async () => {
    copyOf("letters", join(work, "eos0let-main"));
    const { model } = await fetchFrom(await tarOf("wrapped.tar.gz", ["eos0let-main"]));
    expect(model.id).toBe("eos0let");
    cpSync(join(work, "eos0let-main"), work, { recursive: true });
    expect((await fetchFrom(await tarOf("flat.tgz", ["metadata.yml", "model"]))).replaced).toBe("same");
    const runner = createRunner(await find("eos0let"), { env });
    expect(await runner.predict(["CC"], freshAsk())).toEqual([{ kind: "computed", values: [2, 1] }]);
    await runner.close();
  });

  test.each([
    ["a name that leads outside", { path: "../outside.txt", type: "File", body: "x" }, /leads outside/],
    ["an absolute name", { path: "/tmp/outside.txt", type: "File", body: "x" }, /leads outside/],
    ["a symbolic link", { path: "model/a", type: "SymbolicLink", link: "/etc/passwd" }, /link or device/],
    ["a hard link", { path: "model/a", type: "Link", link: "metadata.yml" }, /link or device/],
  ] as const)("with %s is refused and nothing of it stays", async (_title, entry, words) => {
    const archive = craft("hostile.tgz", [{ path: "metadata.yml", type: "File", body: "a: 1\n" }, entry]);
    const error = await failureOf(fetchFrom(archive));
    expect(isAppError(error, "MODEL_ARCHIVE_UNSAFE"), String(error)).toBe(true);
    expect(String(error)).toMatch(words);
    expect(installedFiles()).toEqual([]);
    expect(readdirSync(work).sort()).toEqual(["home", "hostile.tgz"]);
  });

  test("with a name twice is refused, letter case ignored", async () => {
    const archive = craft("twice.tgz", [
      { path: "a.txt", type: "File", body: "1" },
      { path: "A.txt", type: "File", body: "2" },
    ]);
    expect(String(await failureOf(fetchFrom(archive)))).toContain("is there twice");
  });

  test("that is a bomb is refused: ratio, size and number of entries", async () => {
    mkdirSync(join(work, "bomb"));
    writeFileSync(join(work, "bomb", "zeros"), Buffer.alloc(32 << 20));
    for (let i = 0; i < 5; i++) writeFileSync(join(work, "bomb", `f${i}`), "x");
    const location = await tarOf("bomb.tgz", ["bomb"]);
    const refusal = async (limits: { entries?: number; totalBytes?: number; ratio?: number }) => {
      const error = await failureOf(
        fetchModel({ source: { kind: "archive", location }, home, env, limits }, freshAsk()),
      );
      expect(isAppError(error, "MODEL_ARCHIVE_UNSAFE"), String(error)).toBe(true);
      return String(error);
    };
    expect(await refusal({})).toContain("times its size");
    expect(await refusal({ totalBytes: 1_000_000 })).toContain("more than 1000000 bytes");
    expect(await refusal({ entries: 3 })).toContain("more than 3 entries");
  });

  test("that is cut off or no archive is a plain error", async () => {
    copyOf("letters", join(work, "m"));
    const whole = readFileSync(await tarOf("m.tgz", ["m"]));
    writeFileSync(join(work, "cut.tgz"), whole.subarray(0, whole.length / 2));
    writeFileSync(join(work, "text.tgz"), "this is not an archive");
    for (const name of ["cut.tgz", "text.tgz"]) {
      const error = await failureOf(fetchFrom(join(work, name)));
      expect(isAppError(error), String(error)).toBe(true);
      expect(installedFiles()).toEqual([]);
    }
    expect(isAppError(await failureOf(fetchFrom("missing.tgz")), "FILE_NOT_FOUND")).toBe(true);
  });

  test("behind an http URL is downloaded, redirects included; a missing one is an error", async () => {
    copyOf("letters", join(work, "m"));
    const bytes = readFileSync(await tarOf("m.tgz", ["m"]));
    const server: Server = createServer((request, response) => {
      if (request.url === "/old.tgz") response.writeHead(302, { location: "/m.tgz" }).end();
      else if (request.url === "/m.tgz") response.end(bytes);
      else response.writeHead(404).end();
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    try {
      expect((await fetchFrom(`${base}/old.tgz`)).model.id).toBe("eos0let");
      const error = await failureOf(fetchFrom(`${base}/missing.tgz`));
      expect(isAppError(error, "MODEL_FETCH_FAILED")).toBe(true);
      expect(String(error)).toContain("HTTP 404");
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});

describeWith([zip], "a .zip archive", () => {
  test("is unpacked, executable files stay executable", async () => {
    copyOf("letters", join(work, "eos0let-main"));
    execFileSync("zip", ["-q", "-r", "m.zip", "eos0let-main"], { cwd: work });
    expect((await fetchFrom("m.zip")).model.id).toBe("eos0let");
  });

  test("with a link or a name that leads outside is refused", async () => {
    copyOf("letters", join(work, "m"));
    symlinkSync("/etc/passwd", join(work, "m", "link"));
    execFileSync("zip", ["-q", "-r", "-y", "link.zip", "m"], { cwd: work });
    expect(isAppError(await failureOf(fetchFrom("link.zip")), "MODEL_ARCHIVE_UNSAFE")).toBe(true);
    mkdirSync(join(work, "deep"));
    writeFileSync(join(work, "outside.txt"), "x");
    execFileSync("zip", ["-q", "../up.zip", "../outside.txt"], { cwd: join(work, "deep") });
    const error = await failureOf(fetchFrom("up.zip"));
    expect(isAppError(error), String(error)).toBe(true);
    expect(installedFiles()).toEqual([]);
  });

  test("that is a bomb is refused", async () => {
    writeFileSync(join(work, "zeros"), Buffer.alloc(32 << 20));
    execFileSync("zip", ["-q", "-9", "bomb.zip", "zeros"], { cwd: work });
    expect(isAppError(await failureOf(fetchFrom("bomb.zip")), "MODEL_ARCHIVE_UNSAFE")).toBe(true);
  });
});

describe("a model server", () => {
  test("is registered as a model, found by its slug and run over http", async () => {
    const server = await startErsiliaPack({
      id: "eos0srv",
      slug: "served",
      columns: ["label", "size"],
      outputType: "String",
      examples: ["C"],
      answer: (input) => [`<${input}>`, String(input.length)],
    });
    try {
      const { model } = await fetchFrom(server.url);
      expect(model.columns.map((column) => column.type)).toEqual(["string", "string"]);
      const runner = createRunner(await find("served"), { env });
      await runner.open(freshAsk());
      expect(await runner.predict(["CC"], freshAsk())).toEqual([{ kind: "computed", values: ["<CC>", "2"] }]);
      await runner.close();
      expect(catalogRow(await find("eos0srv"))).toMatchObject({ runner: "http", from: server.url });
    } finally {
      await server.close();
    }
  });
});
