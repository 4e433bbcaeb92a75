/** The hub's list of models: `catalog --hub` and `cite`. */
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freshAsk } from "../../src/kernel/index.ts";
import { openObjectStore } from "../../src/store/objects/index.ts";
import { describeWith } from "../servers/requirement.ts";
import { makeBucket, s3Environment, s3Requirement, sharedS3 } from "../servers/s3.ts";
import { Sandbox } from "./memoir.ts";

const list = [
  {
    Identifier: "eos4e40",
    Slug: "chemprop-antibiotic",
    Title: "Broad spectrum antibiotic activity\u001b[31m",
    Status: "Ready",
    Task: "Annotation",
    Tag: ["E.coli", "Antimicrobial activity"],
    Release: "v1.0.0",
    License: "MIT",
    Publication: "https://doi.org/10.1016/j.cell.2020.01.021",
    "Publication Year": 2020,
    "Source Code": "https://github.com/chemprop/chemprop",
    Contributor: "miquelduranfrigola",
  },
  {
    Identifier: "eos3b5e",
    Slug: "molecular-weight",
    Task: ["Annotation"],
    License: "BSD-3-Clause",
    Publication: "https://www.rdkit.org/docs/",
  },
  { Identifier: "eos7jio", Slug: "rdkit-fingerprint", Task: "Representation", Tag: "Fingerprint" },
  { Slug: "no-identifier" },
];

interface Hub {
  readonly from: string;
  readonly total: number;
  readonly copy?: string;
  readonly card?: Readonly<Record<string, unknown>>;
  readonly models: readonly {
    readonly identifier: string;
    readonly local?: number;
    readonly cloud?: number;
    readonly installed?: string;
  }[];
}

let box: Sandbox;
let server: Server;
let url: string;
let answer: { readonly status: number; readonly text: string };
beforeAll(async () => {
  box = await Sandbox.create();
  server = createServer((_, response) => {
    response.writeHead(answer.status).end(answer.text);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/models.json`;
  await box.write("models.json", JSON.stringify(list));
  await box.write("known.csv", "input,mol_weight\nCCO,46.069\nCCC,44.1\n");
  await box.json("predictions", "import", "eos3b5e", "known.csv");
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
  box.remove();
});

const file = ["catalog", "--hub", "--hub-list", "models.json"];

describe("catalog --hub", () => {
  it("lists the models of a file with what is cached and installed of each", async () => {
    const { models, total } = await box.json<Hub>(...file);
    expect(total).toBe(3);
    expect(
      models.map(({ identifier, local, cloud, installed }) => [identifier, local, cloud, installed]),
    ).toEqual([
      ["eos3b5e", 2, 0, "v1.0.0"],
      ["eos4e40", 0, 0, undefined],
      ["eos7jio", 0, 0, undefined],
    ]);
    const { out } = await box.run(...file, "--more");
    expect(out).toContain("https://doi.org/10.1016/j.cell.2020.01.021");
    expect(out).not.toContain("\u001b[31m");
    expect(out).toContain("3 models of 3 in models.json");
  });

  it.each([
    [["--tag", "antimicrobial activity"], ["eos4e40"]],
    [
      ["--task", "Annotation"],
      ["eos3b5e", "eos4e40"],
    ],
    [["--tag", "Fingerprint", "--task", "Representation"], ["eos7jio"]],
    [["--tag", "nothing"], []],
  ])("filters by %s", async (flags, expected) => {
    const { models } = await box.json<Hub>(...file, ...flags);
    expect(models.map(({ identifier }) => identifier)).toEqual(expected);
  });

  it("shows the card of one model, by id or slug, and writes lists to files", async () => {
    const { out } = await box.run(
      "catalog",
      "chemprop-antibiotic",
      "--hub",
      "--hub-list",
      "models.json",
      "--card",
    );
    expect(JSON.parse(out)).toMatchObject({ Identifier: "eos4e40", License: "MIT" });
    await box.json(...file, "-o", "list.csv");
    expect(await readFile(box.path("list.csv"), "utf8")).toMatch(/^identifier,slug,/);
  });

  it("keeps the list that it read from a URL, and shows it with a warning when the server does not answer", async () => {
    const away = box.with({ MEMOIR_HUB: url });
    answer = { status: 200, text: JSON.stringify({ models: list.slice(0, 2) }) };
    expect((await away.json<Hub>("catalog", "--hub")).total).toBe(2);
    answer = { status: 503, text: "" };
    const { code, out, err } = await away.run("catalog", "--hub");
    expect([code, out.includes("eos4e40")]).toEqual([0, true]);
    expect(err).toContain("it answered 503; this is the list of 2");
    expect((await away.json<Hub>("catalog", "--hub", "--offline")).total).toBe(2);
    answer = { status: 200, text: "<html>" };
    const wrong = await away.run("catalog", "--hub");
    expect([wrong.code, wrong.err.includes("HUB_LIST_INVALID")]).toEqual([3, true]);
    expect((await away.json<Hub>("catalog", "--hub", "--offline")).total).toBe(2);
  });

  it.each([
    ["catalog --hub --hub-list absent.json", 3, "FILE_NOT_FOUND"],
    ["catalog --hub --hub-list wrong.json", 3, "it is not JSON"],
    ["catalog --hub --hub-list empty.json", 3, "none of its 1 entries has an Identifier"],
    ["catalog --hub --hub-list number.json", 3, "expected a list of models"],
    ["catalog --hub --hub-list http://127.0.0.1:1/models.json", 4, "HUB_LIST_UNREACHABLE"],
    ["catalog eos0000 --hub --hub-list models.json", 3, "has none of this name"],
    ["catalog --tag x", 2, "--tag goes with --hub"],
    ["catalog --hub --offline --hub-list models.json", 2, "--hub-list"],
    ["catalog --hub --hub-list models.json -o list.txt", 2, "expected .csv or .json"],
  ])("%s ends with its message", async (line, code, words) => {
    await box.write("wrong.json", "{");
    await box.write("empty.json", "[{}]");
    await box.write("number.json", "7");
    const ended = await box.run(...line.split(" "));
    expect([ended.code, ended.out]).toEqual([code, ""]);
    expect(ended.err).toContain(words);
  });

  it("without a copy, --offline says that there is none", async () => {
    const fresh = await Sandbox.create();
    try {
      const { code, err } = await fresh.run("catalog", "--hub", "--offline");
      expect([code, err.includes("no copy")]).toEqual([4, true]);
    } finally {
      fresh.remove();
    }
  });
});

describe("cite", () => {
  it("names publication, source code and licence of a model that is only in the list", async () => {
    const { out } = await box.run("cite", "eos4e40", "--hub-list", "models.json");
    expect(out).toContain("Publication: https://doi.org/10.1016/j.cell.2020.01.021 (2020)");
    expect(out).toContain("Source code: https://github.com/chemprop/chemprop");
    expect(out).toContain("Licence: MIT");
    const { out: entry } = await box.run("cite", "eos4e40", "--hub-list", "models.json", "--bibtex");
    expect(entry).toMatch(/^@misc\{eos4e40,\n {2}title = \{/);
    expect(entry).toContain("year = {2020}");
  });

  it("completes the metadata of an installed model from the list that was kept", async () => {
    const fresh = await Sandbox.create();
    try {
      expect((await fresh.run("cite", "molecular-weight")).out).toContain(
        "The metadata name no publication.",
      );
      await fresh.write("models.json", JSON.stringify(list));
      await fresh.json(...file);
      const { out } = await fresh.run("cite", "molecular-weight");
      expect(out).toContain("Publication: https://www.rdkit.org/docs/");
      expect(out).toContain("Licence: BSD-3-Clause");
    } finally {
      fresh.remove();
    }
  });

  it("of a model that nobody knows ends with exit code 3", async () => {
    const { code, err } = await box.run("cite", "eos0000");
    expect([code, err.includes("MODEL_NOT_FOUND")]).toEqual([3, true]);
  });
});

describeWith([s3Requirement], "the list on S3", () => {
  it("is read from an object", async () => {
    const s3 = await sharedS3();
    const bucket = await makeBucket(s3, "hub");
    const there = box.with(s3Environment(s3));
    const missing = await there.run("catalog", "--hub", "--hub-list", `s3://${bucket}/lists/models.json`);
    expect([missing.code, missing.err.includes("no such object")]).toEqual([4, true]);
    const { endpoint, region, ...credentials } = s3;
    const store = openObjectStore(`s3://${bucket}`, { s3: { endpoint, region, credentials } });
    await store.put("lists/models.json", Buffer.from(JSON.stringify(list)), freshAsk());
    await store.close();
    const read = await there.json<Hub>("catalog", "--hub", "--hub-list", `s3://${bucket}/lists/models.json`);
    expect(read.total).toBe(3);
  });
});
