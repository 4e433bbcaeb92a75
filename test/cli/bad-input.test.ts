/** Everything a user can get wrong: each with its message and its exit code. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { describeWith, findProgram, type Requirement } from "../servers/requirement.ts";
import { makeBucket, s3Environment, s3Requirement, sharedS3 } from "../servers/s3.ts";
import { Sandbox } from "./memoir.ts";

let box: Sandbox;
beforeAll(async () => {
  box = await Sandbox.create();
  await box.inputs("good.csv", ["CCO", "CCC"]);
});
afterAll(() => box.remove());

const model = ["--model", "molecular-weight"];

/** The exit code and what is said, with the sandbox's path taken out. */
async function failing(...words: readonly string[]) {
  const { code, out, err } = await box.run(...words);
  return { code, out, err: err.replaceAll(box.folder, "<here>") };
}

interface BadFile {
  readonly title: string;
  readonly file: string;
  readonly content: string | Uint8Array | undefined;
  readonly code: number;
  readonly says: string;
}

const badFiles: readonly BadFile[] = [
  {
    title: "a missing file",
    file: "nowhere.csv",
    content: undefined,
    code: 3,
    says: "error: cannot read the inputs: no file <here>/nowhere.csv [FILE_NOT_FOUND]",
  },
  {
    title: "an empty file",
    file: "empty.csv",
    content: "",
    code: 3,
    says: "error: cannot read the inputs from <here>/empty.csv: the file is empty [PREDICT_INPUT_EMPTY]",
  },
  {
    title: "a file of blank lines",
    file: "blank.csv",
    content: "\n\n \n",
    code: 3,
    says: "the file is empty [PREDICT_INPUT_EMPTY]",
  },
  {
    title: "a wrong extension",
    file: "in.txt",
    content: "smiles\nCCO\n",
    code: 2,
    says: "error: cannot read the inputs from <here>/in.txt: got the extension .txt, expected one of .csv, .tsv, .smi, .smiles, .json [PREDICT_FORMAT_UNKNOWN]",
  },
  {
    title: "several columns with no recognisable one",
    file: "cols.csv",
    content: "id,structure\n1,CCO\n",
    code: 3,
    says: "got 2 columns (id, structure), and none of them is called smiles or input [PREDICT_INPUT_COLUMNS_UNCLEAR]",
  },
  {
    title: "an unquoted comma",
    file: "comma.csv",
    content: "smiles\nCCO\nC1CC1 |c:1,2|\n",
    code: 3,
    says: "error: cannot read <here>/comma.csv, line 3: got 2 cells, expected 1 as in the first line [PREDICT_INPUT_MALFORMED]",
  },
  {
    title: "a quote that is never closed",
    file: "quote.csv",
    content: 'smiles\n"CCO\nCCC\n',
    code: 3,
    says: "error: cannot read <here>/quote.csv, line 2: a quoted cell is never closed [PREDICT_INPUT_MALFORMED]",
  },
  {
    title: "a cell of nine mebibytes",
    file: "huge.csv",
    content: `smiles\n${"C".repeat(9 << 20)}\n`,
    code: 3,
    says: "[PREDICT_INPUT_CELL_TOO_LARGE]",
  },
  {
    title: "UTF-16",
    file: "utf16.csv",
    content: Buffer.from("\ufeffsmiles\nCCO\n", "utf16le"),
    code: 3,
    says: "got UTF-16, expected UTF-8 [PREDICT_INPUT_NOT_UTF8]",
  },
  {
    title: "JSON that is not a list",
    file: "object.json",
    content: '{"input":"CCO"}',
    code: 3,
    says: "line 1: expected one list",
  },
];

describe("bad inputs", () => {
  it.each(badFiles)("$title", async ({ file, content, code, says }) => {
    if (content !== undefined) await box.write(file, content);
    const got = await failing("run", ...model, "-i", file, "-o", "never.csv");
    expect(got.code).toBe(code);
    expect(got.err).toContain(says);
    expect(got.out).toBe("");
    expect(existsSync(box.path("never.csv"))).toBe(false);
    expect(existsSync(box.path("never.csv.memoir-partial"))).toBe(false);
  });

  it("a folder in the place of a file, and a file in the place of a folder, are called that", async () => {
    mkdirSync(box.path("folder.csv"), { recursive: true });
    mkdirSync(box.path("folder"), { recursive: true });
    await box.write("file", "x\n");
    await box.write("w.wdl", "version 1.1\nworkflow w {\n  input { String? s }\n  output { Int x = 1 }\n}\n");
    for (const [words, code, says] of [
      [["run", ...model, "-i", "folder.csv", "-o", "never.csv"], 4, "it is a folder, expected a file"],
      [["run", ...model, "-i", "folder", "-o", "never.csv"], 2, "got a folder, expected a file"],
      [["run", ...model, "-i", "good.csv", "-o", "folder.csv"], 4, "it is a folder"],
      [["run", ...model, "-i", "good.csv", "-o", "folder"], 2, "got a folder, expected a file"],
      [["example", "eos3b5e", "-o", "folder.csv"], 4, "is a folder, expected a file"],
      [["run", "w.wdl", "-i", "folder"], 4, "it is a folder, expected a file"],
      [["run", "w.wdl", "--out", "file"], 4, "writing the outputs to <here>/file: it is not a folder"],
      [["run", "w.wdl", "--cache", "./file"], 0, "is a file, expected a folder"],
      [["cache", "du", "./file"], 4, "is a file, expected a folder"],
      [["cache", "create", "c", "--location", "file"], 4, "<here>/file exists and is not a folder"],
      [
        ["run", ...model, "-i", "good.csv", "-o", "o.csv", "--local", "./file"],
        0,
        "exists and is not a folder",
      ],
      [["runs", "list", "--runs-dir", "file"], 4, "<here>/file is not a folder"],
      [["server", "--files", "file", "--port", "0", "--for", "0"], 4, "<here>/file: it is not a folder"],
      [["server", "--access-keys", "folder", "--port", "0"], 4, "it is a folder, expected a file"],
    ] as const) {
      const got = await failing(...words);
      expect(got.err, words.join(" ")).toContain(says);
      expect(got.err).not.toMatch(/illegal operation|not a directory|already exists/);
      expect(got.code, words.join(" ")).toBe(code);
    }
  });
});

describe("odd inputs that are right", () => {
  it("quotes, commas and line breaks inside a cell, CRLF, a byte order mark and blank lines", async () => {
    const text = '\ufeffsmiles\r\n"CCO"\r\n\r\n"C,C"\r\n"C""C"\r\n"C\nC"\r\nCCC\r\n';
    await box.write("odd.csv", text);
    await box.json("run", ...model, "-i", "odd.csv", "-o", "odd-out.csv", "--status-column");
    const written = await box.read("odd-out.csv");
    expect(written).toContain(",CCO,46.069,computed\n");
    expect(written).toMatch(/,"C,C",,failed\n/);
    expect(written).toMatch(/,"C""C",,failed\n/);
    // RDKit would read it up to the line break.
    expect(written).toMatch(/,"C\nC",,failed\n/);
    expect(written).toContain(",CCC,44.096999999999994,computed\n");
    expect(written.match(/(computed|failed)\n/g)).toHaveLength(5);
  });

  it("a cell of one mebibyte is a failed row, and the row after it is not lost", async () => {
    await box.inputs("big.csv", ["C".repeat(1 << 20), "CCO"]);
    const { counts } = await box.json<{ counts: unknown }>(
      "run",
      ...model,
      "-i",
      "big.csv",
      "-o",
      "big-out.csv",
    );
    expect(counts).toMatchObject({ failed: 1 });
    expect((await box.read("big-out.csv")).endsWith(",CCO,46.069\n")).toBe(true);
  });

  it("a first line that is a molecule counts as a row, and is reported", async () => {
    await box.write("headless.csv", "CCO\nCCC\n");
    const { err } = await box.run("run", ...model, "-i", "headless.csv", "-o", "headless-out.csv");
    expect(err).toContain(
      "its first line (CCO) looks like a molecule and is counted as a row; say --header if it is one",
    );
    expect(await box.rows("headless-out.csv")).toHaveLength(2);
    await box.run("run", ...model, "-i", "headless.csv", "-o", "headless-out.csv", "--header");
    expect(await box.rows("headless-out.csv")).toHaveLength(1);
  });

  it("only a header gives only a header", async () => {
    await box.write("header.csv", "smiles\n");
    const { rows } = await box.json("run", ...model, "-i", "header.csv", "-o", "header-out.csv");
    expect(rows).toBe(0);
    expect(await box.read("header-out.csv")).toBe("key,input,mol_weight\n");
  });
});

describe("bad requests", () => {
  it.each([
    [
      "run -i good.csv -o o.csv",
      2,
      "error: no model is served: this shell has no open session [SESSION_NOT_OPEN]",
    ],
    ["run -i good.csv -o o.csv --session absent", 2, "no session absent is open [SESSION_NOT_OPEN]"],
    ["dump -o o.csv", 2, "[SESSION_NOT_OPEN]"],
    ["info", 2, "[SESSION_NOT_OPEN]"],
    ["run --model nosuch -i good.csv -o o.csv", 3, "[MODEL_NOT_FOUND]"],
    ["serve eos9zzz --session s", 3, "[MODEL_NOT_FOUND]"],
    ["serve molecular-weight --session ../x", 2, "[SESSION_NAME_INVALID]"],
    [
      "serve molecular-weight --local-cache-only --cloud-cache-only",
      2,
      "error: memoir serve: option '--local-cache-only' cannot be used with option '--cloud-cache-only' [CLI_USAGE]",
    ],
    ["serve molecular-weight --cache-only --local-cache-only", 2, "[CLI_USAGE]"],
    ["run --model eos3b5e -i good.csv -o o.csv --cloud-cache-only --cache-only", 2, "[CLI_USAGE]"],
    [
      "run --model eos3b5e -i good.csv -o o.csv --local-cache-only --no-compute",
      2,
      "--no-compute goes with --cache-only",
    ],
    ["serve", 2, "missing required argument 'MODEL'"],
    ["run --model eos3b5e -o o.csv", 2, "memoir run: -i FILE is missing"],
    ["run --model eos3b5e -i good.csv", 2, "memoir run: -o FILE is missing"],
    [
      "run --model eos3b5e -i good.csv -o o.xlsx",
      2,
      "got the extension .xlsx, expected one of .csv, .tsv, .json, .h5, .hdf5",
    ],
    ["run --model eos3b5e -i good.csv -o good.csv", 2, "[PREDICT_INPUT_IS_OUTPUT]"],
    ["run --model eos3b5e -i good.csv -o o.csv -b 0", 2, "--batch-size must be more than 0"],
    ["run --model eos3b5e -i good.csv -o o.csv -b many", 2, "expected a whole number"],
    ["run --model eos3b5e -i good.csv -o o.csv --mach exact", 2, "did you mean --match?"],
    ["run --model eos3b5e -i good.csv -o no/where/o.csv", 4, "no folder <here>/no/where [FILE_NOT_WRITABLE]"],
    ["run --model eos3b5e -i good.csv -o o.csv --local ftp://x/y", 2, "[STORE_URL_INVALID]"],
    ["dump --model eos3b5e --local-cache-only -n -5", 2, "-n must be 0 or more"],
    ["delete eos3b5e", 2, "[MODEL_BUILTIN]"],
    ["fetch nowhere/at/all", 3, ""],
    ["catalog --card", 2, "--card needs a MODEL"],
    ["predictions drop eos3b5e", 2, "--from local or --from cloud is missing"],
    [
      "run eos3b5e -i good.csv -o o.csv",
      2,
      "expected a workflow, and eos3b5e is a model: use `memoir run --model eos3b5e -i input.csv -o output.csv`, or `memoir serve eos3b5e` and then",
    ],
    ["run molecular-weight -i good.csv", 2, "use `memoir run --model molecular-weight "],
    ["run -i good.csv eos3b5e", 2, "use `memoir run --model eos3b5e "],
    ["run eos9zzz -i good.csv", 2, "eos9zzz is the id of a model: use `memoir run --model eos9zzz "],
    ["run eos9zzz -i good.csv", 2, "`memoir fetch eos9zzz` installs it first"],
    ["run nosuch", 3, "opening the workflow nosuch: there is no such file or folder"],
    ["serv", 2, "did you mean serve?"],
    ["predictions stat", 2, "did you mean predictions stats?"],
  ])("memoir %s", async (line, code, says) => {
    const got = await failing(...line.split(" "));
    expect(`${got.code}: ${got.err}`).toContain(`${code}: `);
    expect(got.err).toContain(says);
    expect(got.out).toBe("");
  });

  it("a folder that is called like a model is a workflow", async () => {
    mkdirSync(box.path("eos3b5e"), { recursive: true });
    expect((await failing("run", "eos3b5e")).err).toContain("[WORKFLOW_NOT_FOUND]");
  });

  it("with --json an error is one JSON object on standard error", async () => {
    const { code, out, err } = await box.run("run", ...model, "-i", "nowhere.csv", "-o", "o.csv", "--json");
    expect(code).toBe(3);
    expect(out).toBe("");
    expect(JSON.parse(err)).toMatchObject({ error: { code: "FILE_NOT_FOUND", kind: "not-found" } });
  });

  it("the file that standard input comes from is not replaced, and a link to nothing is named", async () => {
    await box.inputs("own.csv", ["CCO"]);
    const line = "memoir run --model eos3b5e -i -";
    const own = box.shell(`${line} -o own.csv < own.csv`);
    expect(own.err).toContain("own.csv is standard input [PREDICT_INPUT_IS_OUTPUT]");
    expect(own.code).toBe(2);
    expect(await box.read("own.csv")).toBe("smiles\nCCO\n");
    const dangling = box.shell(`ln -s nowhere.csv to-nowhere.csv; ${line} -o to-nowhere.csv < own.csv`);
    expect(dangling.err).toContain("to-nowhere.csv: it is a link to a file that does not exist");
    expect(dangling.code).toBe(4);
  });

  it("a device as output is refused, not replaced", async () => {
    const { code, err } = await failing("run", ...model, "-i", "good.csv", "-o", "/dev/null/x.csv");
    expect(code).toBe(4);
    expect(err).toContain("[FILE_NOT_WRITABLE]");
  });
});

const smallDisks: Requirement = {
  name: "mounting a small disk",
  programs: ["mount", "umount"],
  debianPackages: ["mount"],
  needsRoot: true,
};

const program = (name: string) => findProgram(name) ?? name;

describeWith([smallDisks], "a full disk", () => {
  let mounted = "";
  beforeAll(() => {
    mounted = box.path("small");
    mkdirSync(mounted);
    const { status, stderr } = spawnSync(program("mount"), [
      "-t",
      "tmpfs",
      "-o",
      "size=256k",
      "tmpfs",
      mounted,
    ]);
    if (status !== 0) throw new Error(`mount: ${stderr}`);
  });
  afterAll(() => {
    spawnSync(program("umount"), [mounted]);
  });

  it("of the local cache is an answer that is not stored, and of the home an error", async () => {
    await box.write("fill.sh", 'head -c 1m /dev/zero > "$1" 2>/dev/null || true\n');
    for (const name of ["", "known"]) {
      // With and without a store that was opened before.
      if (name === "known") {
        spawnSync("rm", ["-f", `${mounted}/fill`]);
        await box.run("run", ...model, "-i", "good.csv", "-o", "known.csv", "--local", "small/known");
      }
      spawnSync("bash", [box.path("fill.sh"), `${mounted}/fill`]);
      const local = await failing(
        "run",
        ...model,
        "-i",
        "good.csv",
        "-o",
        "full.csv",
        "--local",
        `small/l${name}`,
      );
      expect([local.code, local.out]).toEqual([0, expect.stringContaining("predicted 2 rows")]);
      expect(local.err).toContain("the disk is full");
      const home = await box.with({ MEMOIR_HOME: "small/home" }).run("serve", "eos3b5e");
      expect(home.code).toBe(4);
      expect(home.err).toMatch(/^error: .*(no space left|disk is full)/);
    }
    spawnSync("bash", ["-c", `rm -rf ${mounted}/*`]);
  });

  it("ends with exit code 4 and no output, and the run resumes when there is space", async () => {
    const rows = Array.from({ length: 30_000 }, (_, i) => `C${i}`);
    await box.write("full-known.csv", `input,mol_weight\n${rows.map((row) => `${row},1.5\n`).join("")}`);
    await box.json("predictions", "import", "eos3b5e", "full-known.csv");
    await box.inputs("full.csv", rows);
    const { code, err } = await failing("run", ...model, "-i", "full.csv", "-o", "small/out.csv");
    expect(code).toBe(4);
    expect(err).toContain("cannot write <here>/small/out.csv: the disk is full [DISK_FULL]");
    expect(existsSync(box.path("small/out.csv"))).toBe(false);
    spawnSync(program("mount"), ["-o", "remount,size=16m", mounted]);
    const { rows: written } = await box.json("run", ...model, "-i", "full.csv", "-o", "small/out.csv");
    expect(written).toBe(30_000);
    expect(await box.rows("small/out.csv")).toHaveLength(30_000);
  });
});

describeWith([s3Requirement], "an S3 cloud cache that says no", () => {
  let cloud: Sandbox;
  beforeAll(async () => {
    const s3 = await sharedS3();
    const bucket = await makeBucket(s3, "refused");
    cloud = box.with({
      ...s3Environment(s3),
      AWS_SECRET_ACCESS_KEY: "not-the-secret",
      MEMOIR_CLOUD: `s3://${bucket}/memoir`,
      MEMOIR_LOCAL: "refused-local",
    });
  });

  it("--cloud-cache-only ends with exit code 4 and says that the credentials were refused", async () => {
    for (const words of [
      ["serve", "eos3b5e"],
      ["run", ...model, "-i", "good.csv", "-o", "never.csv"],
    ]) {
      const { code, err } = await cloud.run(...words, "--cloud-cache-only");
      expect(code).toBe(4);
      expect(err).toContain("[STORE_CREDENTIALS_REFUSED]");
      expect(err).not.toContain("not-the-secret");
    }
    expect(existsSync(box.path("never.csv"))).toBe(false);
  });

  it("--cache-only warns and computes", async () => {
    const { code, err } = await cloud.run(
      "run",
      ...model,
      "-i",
      "good.csv",
      "-o",
      "refused-out.csv",
      "--cache-only",
    );
    expect(code).toBe(0);
    expect(err).toContain("warning: the cloud cache");
    expect(await box.rows("refused-out.csv")).toEqual(["CCO,46.069", "CCC,44.096999999999994"]);
  });
});
