/**
 * Published fingerprints of Ersilia's models, computed here by Debian's RDKit and asked for through every way into
 * Memoir. A published row is given by the number of its values that are not 0, their sum and the digest of the row.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Sandbox } from "../cli/memoir.ts";
import { limitMs } from "../limit.mjs";
import { type ModelServerProcess, startModelServer } from "../model-server/server-process.ts";
import { describeWith } from "../servers/requirement.ts";

const system = "/usr/bin/python3";
const rdkit = {
  ...{ name: "RDKit for Python", programs: ["bash", "python3"], debianPackages: ["python3-rdkit"] },
  check: () =>
    spawnSync(system, ["-c", "import rdkit"]).status === 0 ? undefined : `${system} cannot import it`,
};

const ibuprofen = "CC(C)CC1=CC=C(C=C1)C(C)C(=O)O";
const sulfonyl = "COc1ccc(cc1)-c1csc(NC(=O)[C@H]2CCCCN2S(=O)(=O)c2ccc(C)cc2)n1";
const inputs = [ibuprofen, sulfonyl, ibuprofen];
const keys = [
  "7cb17c533bb26769269216d099ebbb4d",
  "1c62343153de41513c7c8e7e1728912e",
  "7cb17c533bb26769269216d099ebbb4d",
];

const models = [
  {
    ...{ id: "eos7jio", slug: "rdkit-fingerprint", column: "dimension" },
    ...{ input: ibuprofen, published: { nonZero: 228, sum: 228, digest: "a95d939141d438a8" } },
    python: "list(Chem.RDKFingerprint(molecule, minPath=1, maxPath=7, fpSize=2048))",
  },
  {
    ...{ id: "eos5axz", slug: "morgan-counts", column: "dim" },
    ...{ input: ibuprofen, published: { nonZero: 31, sum: 46, digest: "47b845c7c9b27f42" } },
    python: "counts(rdMolDescriptors.GetHashedMorganFingerprint(molecule, 3, nBits=2048))",
  },
  {
    ...{ id: "eos4wt0", slug: "morgan-binary-fps", column: "dim" },
    ...{ input: sulfonyl, published: { nonZero: 80, sum: 80, digest: "104e59583e45626f" } },
    python:
      "list(rdMolDescriptors.GetMorganFingerprintAsBitVect(molecule, 3, nBits=2048, useChirality=True))",
  },
] as const;
type Model = (typeof models)[number];

let box: Sandbox;
const servers = new Map<string, ModelServerProcess>();

async function writePackage({ id, slug, column, python }: Model): Promise<string> {
  const folder = box.path(id);
  const framework = join(folder, "model", "framework");
  await mkdir(join(framework, "columns"), { recursive: true });
  await mkdir(join(framework, "examples"), { recursive: true });
  await writeFile(join(folder, "metadata.yml"), `Identifier: ${id}\nSlug: ${slug}\nRelease: v1.0.0\n`);
  const names = Array.from({ length: 2048 }, (_, i) => `${column}_${String(i).padStart(4, "0")}`);
  const lines = names.map((name) => `${name},integer,,\n`).join("");
  await writeFile(join(framework, "columns", "run_columns.csv"), `name,type,direction,description\n${lines}`);
  await writeFile(join(framework, "examples", "run_input.csv"), `smiles\n${ibuprofen}\n`);
  await writeFile(join(framework, "run.sh"), `${system} "$1/main.py" "$2" "$3"\n`);
  await writeFile(
    join(framework, "main.py"),
    `import csv, sys
from rdkit import Chem
from rdkit.Chem import rdMolDescriptors

def counts(found):
    row = [0] * 2048
    for place, count in found.GetNonzeroElements().items():
        row[place] = min(count, 255)
    return row

with open(sys.argv[1], newline="") as source:
    inputs = [row[0] for row in list(csv.reader(source))[1:]]
with open(sys.argv[2], "w", newline="") as target:
    out = csv.writer(target)
    out.writerow(["${column}_%04d" % place for place in range(2048)])
    for each in inputs:
        molecule = Chem.MolFromSmiles(each)
        out.writerow(${python})
`,
  );
  return folder;
}

beforeAll(async () => {
  if (spawnSync(system, ["-c", "import rdkit"]).status !== 0) return;
  box = await Sandbox.create({ MEMOIR_ERSILIA_REDIS: "off" });
  await box.inputs("in.csv", inputs);
  await box.json("shim", "bin");
  for (const model of models) {
    await box.json("fetch", await writePackage(model));
    await box.json("run", "--model", model.id, "-i", "in.csv", "-o", `${model.id}-first.csv`);
    await box.json("predictions", "copy", model.id, "--from", "local");
    servers.set(model.id, await startModelServer(box, model.id));
  }
}, 3 * limitMs);
afterAll(async () => {
  await Promise.all([...servers.values()].map((server) => server.stop()));
  box?.remove();
});

/** The values of a table, whose columns are those of one model. */
async function rowsOf(name: string, isOurs: (column: string) => boolean = () => true): Promise<number[][]> {
  const [header = [], ...rows] = (await box.read(name))
    .trimEnd()
    .split("\n")
    .map((line) => line.split(","));
  expect(rows.map(([key, input]) => [key, input])).toEqual(inputs.map((input, i) => [keys[i], input]));
  const places = header.flatMap((column, place) => (place > 1 && isOurs(column) ? [place] : []));
  return rows.map((row) => places.map((place) => Number(row[place])));
}

async function run(model: string, output: string, ...more: readonly string[]): Promise<number[][]> {
  await box.json("run", "--model", model, "-i", "in.csv", "-o", output, ...more);
  return rowsOf(output);
}

const ways: readonly (readonly [
  name: string,
  ask: (id: string) => Promise<readonly (readonly number[])[]>,
])[] = [
  ["run, computed", (id) => run(id, `${id}.csv`, "--local", box.path(`fresh-${id}`))],
  ["the local cache", (id) => run(id, `${id}-local.csv`, "--local-cache-only")],
  ["the cloud cache", (id) => run(id, `${id}-cloud.csv`, "--cloud-cache-only")],
  [
    "run --models",
    async (id) => {
      const names = models.map((model) => model.id).join(",");
      await box.json("run", "--models", names, "-i", "in.csv", "-o", "many.csv");
      return rowsOf("many.csv", (column) => column.startsWith(`${id}.`));
    },
  ],
  [
    "lookup",
    async (id) => {
      const rows: number[][] = [];
      for (const input of inputs) {
        const { found } = await box.json<{
          readonly found: readonly { readonly model: string; readonly values: Record<string, number> }[];
        }>("lookup", input);
        rows.push(Object.values(found.find((each) => each.model === id)?.values ?? {}));
      }
      return rows;
    },
  ],
  [
    "the model server",
    async (id) => (await servers.get(id)?.post("/run?orient=values", inputs))?.json as number[][],
  ],
  [
    "the Python client",
    async (id) => {
      const client = fileURLToPath(new URL("../../clients/python/", import.meta.url));
      const text = `import json, sys
sys.path.insert(0, sys.argv[1])
sys.modules["pandas"] = None
from memoir_client import predict
rows = predict("${id}", json.loads(sys.argv[3]), url=sys.argv[2])
print(json.dumps([[value for name, value in row.items() if name.startswith("dim")] for row in rows]))`;
      const words = ["-I", "-c", text, client, servers.get(id)?.url ?? "", JSON.stringify(inputs)];
      const { stdout, stderr } = spawnSync(system, words, {
        ...{ encoding: "utf8", env: { PATH: process.env["PATH"], PYTHONDONTWRITEBYTECODE: "1" } },
      });
      expect(stderr).toBe("");
      return JSON.parse(stdout) as number[][];
    },
  ],
  [
    "the executable ersilia",
    async (id) => {
      const lines = [
        "set -e",
        `ersilia serve ${id}`,
        `ersilia run -i in.csv -o ${id}-shim.csv`,
        "ersilia close",
      ];
      const env = { ...box.env(), PATH: `${box.path("bin")}:${process.env["PATH"]}` };
      const { status, stderr } = spawnSync("bash", ["-c", lines.join("\n")], {
        ...{ cwd: box.folder, env, encoding: "utf8" },
      });
      expect([status, stderr.includes("error")]).toEqual([0, false]);
      return rowsOf(`${id}-shim.csv`);
    },
  ],
];

describeWith([rdkit], "published fingerprints", () => {
  const cases = models.flatMap((model) => ways.map(([way, ask]) => ({ ...model, way, ask })));
  it.each(cases)("of $id through $way", async ({ id, input, published, ask }) => {
    const rows = await ask(id);
    expect(rows).toHaveLength(inputs.length);
    expect(rows[2]).toEqual(rows[0]);
    const row = rows[inputs.indexOf(input)] ?? [];
    expect({
      nonZero: row.filter((value) => value !== 0).length,
      sum: row.reduce((total, value) => total + value, 0),
      digest: createHash("sha256").update(row.join(",")).digest("hex").slice(0, 16),
    }).toEqual(published);
  });
});
