/**
 * Published answers of Ersilia's models through every way into Memoir: the same keys and the same values, to the last
 * digit, in the order of the inputs and with their duplicates.
 */
import { spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type Ended, Sandbox, type Started } from "../cli/memoir.ts";
import { limitMs } from "../limit.mjs";
import { type ModelServerProcess, startModelServer } from "../model-server/server-process.ts";
import { describeWith } from "../servers/requirement.ts";
import { weights } from "./published-weights.ts";

/**
 * Models whose programs are not run here, by what they have published: a stand-in answers it, so that keys, columns and
 * digits are tested. `why` is what running them would need. Fingerprints that Debian's RDKit computes are in
 * `fingerprint-vectors.test.ts`.
 */
const published = [
  {
    ...{ id: "eos8ioa", why: "Debian's python3-rdkit and its checkpoint of 2 MB" },
    ...{ columns: ["nplikeness", "confidence"] },
    rows: [
      [
        "cc3be6364fd94a40b42269dcc94d938e",
        "Cc1c(nn(c1-c1ccc(Cl)cc1)-c1ccc(Cl)cc1Cl)C(=O)NN1CCCCC1",
        [-1.37102176232333, 0.9795918367346939],
      ],
      [
        "072f62c4af3b9e6aade8e4f7a4228ec0",
        "Cc1nc2sccn2c(=O)c1CCN1CCC(CC1)=C(c1ccccc1)c1ccc(F)cc1",
        [-1.4549516786333003, 0.9649122807017544],
      ],
      [
        "82f8a001fdc3d9f23d4ea4a61405082a",
        "NC(=O)[C@@H]1CC[C@@H]2CN1C(=O)N2OS(O)(=O)=O",
        [-0.2541064682578412, 0.8055555555555556],
      ],
    ],
  },
  {
    ...{ id: "eos80ch", why: "checkpoints that are not in git, and MAIP's software" },
    ...{ columns: ["sexual_stage", "asexual_blood_stage"] },
    rows: [
      [
        "4b94d6419362915f9e43c8bdbd94c2d6",
        "Fc1ccc(cc1)C(=O)NCCN1CCC(CC1)n1c2ccc(Cl)cc2[nH]c1=O",
        [0.00144589845058881, 0.4398493455644202],
      ],
      [
        "a5d5e3d97e05ab0ea5d009ad3a4beccc",
        "C\\C(=C/c1ccc(cc1)C(O)=O)c1ccc2c(c1)C(C)(C)CCC2(C)C",
        [0.0033493168596135012, 0.250985604917999],
      ],
    ],
  },
  {
    ...{ id: "eos7pw8", why: "the package syba, which Debian does not have" },
    ...{ columns: ["syba_score"] },
    rows: [["d626191930f2fcfb0af18f6ba0fe8fc8", "Oc1ccccc1\\C=N\\NC(=O)c1ccccc1O", [110.49753786744563]]],
  },
  {
    ...{ id: "eos9ei3", why: "its checkpoint, a Git-LFS pointer" },
    ...{ columns: ["sa_score"] },
    rows: [
      [
        "83ceb8ceae35988b62791c194a997366",
        "CC(C)(C#N)c1ccc(cc1)N1C(=O)OCc2cnc3ccc(cc3c12)-c1cnc2ccccc2c1",
        [2.874275],
      ],
      ["15874cb85fa1a50ff03ebe41e9924bbc", "CO[C@@H]1[C@@H](O)[C@@H](O)[C@H](O)[C@H](O)[C@H]1O", [3.644805]],
    ],
  },
  {
    ...{ id: "eos4e40", why: "PyTorch and Chemprop, and weights that are not in git" },
    ...{ columns: ["inhibition_50um"] },
    rows: [["61c8afd1002ae890bbba3d64e1a2f39c", "CC(C)NC(=N)N=C(N)Nc1ccc(Cl)cc1", [0.04259297614917159]]],
  },
  {
    ...{ id: "eos2r5a", why: "RAscore with XGBoost, and weights that are not in git" },
    ...{ columns: ["ra_score"] },
    rows: [["fdd63216ff7316d6c1da6f8bc7ee10a5", "COc1cc(NS(=O)(=O)c2ccc(N)cc2)ncn1", [0.99628973]]],
  },
] as const;

const python = { name: "Python 3", programs: ["bash", "python3"], debianPackages: ["python3"] };
const inputs = weights.map(([, input]) => input);
const values = weights.map(([, , value]) => value);

let box: Sandbox;
let server: ModelServerProcess;
let jobs: Started;
/** Of `memoir server`, which answers what the cloud cache of the sandbox holds. */
let jobsUrl: string;
beforeAll(async () => {
  box = await Sandbox.create({ MEMOIR_ERSILIA_REDIS: "off" });
  await box.inputs("in.csv", inputs);
  await box.json("shim", "bin");
  server = await startModelServer(box, "eos3b5e");
  await box.json("run", "--model", "eos3b5e", "-i", "in.csv", "-o", "run.csv");
  await box.json("predictions", "copy", "eos3b5e", "--from", "local");
  jobs = box.start("server", "--port", "0", "--executor", "host", "--cache-host-tasks");
  let over: Ended | undefined;
  void jobs.ended.then((ended) => {
    over = ended;
  });
  const urlNow = () => /http:\/\/127\.0\.0\.1:\d+/.exec(jobs.err())?.[0];
  await vi.waitFor(() => expect(urlNow() ?? over).toBeDefined(), { timeout: limitMs });
  jobsUrl = urlNow() ?? "";
  expect(over).toBeUndefined();
}, 3 * limitMs);
afterAll(async () => {
  jobs?.process.kill("SIGTERM");
  await jobs?.ended;
  await server?.stop();
  box.remove();
});

/** The values of the last columns of a result file, and its keys. */
async function fileRows(name: string): Promise<{ keys: readonly string[]; values: readonly number[] }> {
  const lines = (await box.read(name)).trimEnd().split("\n").slice(1);
  const cells = lines.map((line) => line.split(","));
  expect(cells.map(([, input]) => input)).toEqual(inputs);
  return { keys: cells.map(([key = ""]) => key), values: cells.map(([, , value]) => Number(value)) };
}

const keysMatch = (keys: readonly string[]) => expect(keys).toEqual(weights.map(([key]) => key));

type Way = readonly [name: string, ask: () => Promise<readonly unknown[]>];

const ways: readonly Way[] = [
  [
    "run",
    async () => {
      await box.json("run", "--model", "eos3b5e", "-i", "in.csv", "-o", "run.csv");
      const { keys, values: found } = await fileRows("run.csv");
      keysMatch(keys);
      return found;
    },
  ],
  [
    "run --models",
    async () => {
      await box.json("run", "--models", "eos3b5e,rdkit-descriptors", "-i", "in.csv", "-o", "many.csv");
      const { keys, values: found } = await fileRows("many.csv");
      keysMatch(keys);
      return found;
    },
  ],
  [
    "run --nearest, which asks for neighbours only where nothing is stored",
    async () => {
      await box.json("run", "--model", "eos3b5e", "-i", "in.csv", "-o", "run.csv");
      await box.json("run", "--model", "eos3b5e", "-i", "in.csv", "-o", "near.csv", "--nearest", "0.9");
      const { keys, values: found } = await fileRows("near.csv");
      keysMatch(keys);
      return found;
    },
  ],
  [
    "the executable ersilia",
    async () => {
      const lines = ["set -e", "ersilia serve eos3b5e", "ersilia run -i in.csv -o shim.csv", "ersilia close"];
      const env = { ...box.env(), PATH: `${box.path("bin")}:${process.env["PATH"]}` };
      const { status, stderr } = spawnSync("bash", ["-c", lines.join("\n")], {
        ...{ cwd: box.folder, env, encoding: "utf8" },
      });
      expect([status, stderr.includes("error")]).toEqual([0, false]);
      const { keys, values: found } = await fileRows("shim.csv");
      keysMatch(keys);
      return found;
    },
  ],
  [
    "a look-up of memoir server",
    async () => {
      const answer = await sendJobs<JobRows>("/v1/models/eos3b5e/lookups", { inputs });
      return jobValues(answer.rows);
    },
  ],
  [
    "a look-up of memoir server, by columns",
    async () => {
      const body = { inputs, answer: "columns" };
      const answer = await sendJobs<{ readonly values: readonly unknown[][] }>(
        "/v1/models/eos3b5e/lookups",
        body,
      );
      return answer.values[0] ?? [];
    },
  ],
  ["a job of memoir server that filters", async () => jobValues(await jobRows({ fetch: "filter", inputs }))],
  [
    "a job of memoir server with every row, each once",
    async () => {
      const rows = await jobRows({ fetch: "all" });
      expect(rows).toHaveLength(new Set(inputs).size);
      const byInput = new Map(rows.map((row) => [row.input, row]));
      return jobValues(inputs.flatMap((input) => byInput.get(input) ?? []));
    },
  ],
  [
    "a file that is sent to memoir server",
    async () => {
      const path = "/api/v1/predictions/eos3b5e/jobs";
      const csv = await box.read("in.csv");
      const headers = { "content-type": "text/csv" };
      const sent = await fetch(`${jobsUrl}${path}`, { method: "POST", headers, body: csv });
      const { id } = (await sent.json()) as { readonly id: string };
      const state = async () => (await sendJobs<{ readonly state: string }>(`${path}/${id}`)).state;
      await expect.poll(state, { timeout: limitMs }).toBe("succeeded");
      const result = await fetch(`${jobsUrl}${path}/${id}/result`);
      await box.write("sent.csv", await result.text());
      const { keys, values: found } = await fileRows("sent.csv");
      keysMatch(keys);
      return found;
    },
  ],
  ["the model server, inputs", async () => rowsIn((await server.post("/run", inputs)).json)],
  [
    "the model server, keys and inputs",
    async () => {
      const body = weights.map(([key, input]) => ({ key, input }));
      return rowsIn((await server.post("/run", body)).json);
    },
  ],
  [
    "the model server, values",
    async () => ((await server.post("/run?orient=values", inputs)).json as number[][]).flat(),
  ],
  [
    "a job of the model server",
    async () => {
      const { json } = await server.post("/job/submit", inputs);
      const { job_id: id } = json as { readonly job_id: string };
      await expect
        .poll(async () => ((await server.get(`/job/status/${id}`)).json as { status: string }).status, {
          timeout: limitMs,
        })
        .toBe("completed");
      return rowsIn((await server.get(`/job/result/${id}`)).json);
    },
  ],
];

interface JobRow {
  readonly input: string;
  readonly key?: string;
  readonly values?: readonly unknown[];
}

interface JobRows {
  readonly rows: readonly JobRow[];
}

async function sendJobs<T>(path: string, body?: unknown): Promise<T> {
  const init =
    body === undefined
      ? {}
      : {
          ...{ method: "POST", headers: { "content-type": "application/json" } },
          body: JSON.stringify(body),
        };
  return (await (await fetch(`${jobsUrl}${path}`, init)).json()) as T;
}

/** The rows of a job's files, as its links deliver them. */
async function jobRows(what: Readonly<Record<string, unknown>>): Promise<readonly JobRow[]> {
  const body = { requestId: randomUUID(), model: "eos3b5e", ...what };
  const { id } = await sendJobs<{ readonly id: string }>("/v1/jobs", body);
  const state = async () => (await sendJobs<{ readonly state: string }>(`/v1/jobs/${id}`)).state;
  await expect.poll(state, { timeout: limitMs }).toBe("SUCCEEDED");
  const { files } = await sendJobs<{ readonly files: readonly { readonly url: string }[] }>(
    `/v1/jobs/${id}/files`,
  );
  const rows: JobRow[] = [];
  for (const { url } of files) {
    const reply = await fetch(new URL(url, jobsUrl));
    const text = gunzipSync(await reply.arrayBuffer()).toString("utf8");
    rows.push(
      ...text
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as JobRow),
    );
  }
  return rows;
}

const jobValues = (rows: readonly JobRow[]) => rows.map(({ values: cells }) => cells?.[0]);

const rowsIn = (json: unknown) => (json as readonly { mol_weight: number }[]).map((row) => row.mol_weight);

describe("published molecular weights", () => {
  it.each(ways)("through %s", async (_, ask) => {
    expect(await ask()).toEqual(values);
  });
});

describeWith([python], "published answers in Python and of models", () => {
  it.each([
    ["model server", () => server.url],
    ["memoir server", () => jobsUrl],
  ])("molecular weights through the Python client of the %s", (_, url) => {
    const client = fileURLToPath(new URL("../../clients/python/", import.meta.url));
    const text = `import json, sys
sys.path.insert(0, sys.argv[1])
sys.modules["pandas"] = None
from memoir_client import predict
print(json.dumps([[row["input"], row["mol_weight"]] for row in predict("eos3b5e", json.loads(sys.argv[3]), url=sys.argv[2])]))`;
    const words = ["-I", "-c", text, client, url(), JSON.stringify(inputs)];
    const { stdout, stderr } = spawnSync("python3", words, {
      ...{ encoding: "utf8", env: { PATH: process.env["PATH"], PYTHONDONTWRITEBYTECODE: "1" } },
    });
    expect(stderr).toBe("");
    expect(JSON.parse(stdout)).toEqual(weights.map(([, input, value]) => [input, value]));
  });

  it.each(published.flatMap((model) => (["script", "worker"] as const).map((kind) => ({ ...model, kind }))))(
    "$id as a $kind, and its rows in the cache (a stand-in for $why)",
    async ({ id, columns, rows, kind }) => {
      const folder = box.path(`${kind}-${id}`);
      const framework = join(folder, "model", "framework");
      await mkdir(join(framework, "columns"), { recursive: true });
      await writeFile(join(folder, "metadata.yml"), `Identifier: ${id}\nSlug: ${id}\nRelease: v1\n`);
      const header = "name,type,direction,description\n";
      const lines = columns.map((name) => `${name},float,,\n`).join("");
      await writeFile(join(framework, "columns", "run_columns.csv"), `${header}${lines}`);
      const known = Object.fromEntries(rows.map(([, input, cells]) => [input, cells]));
      await writeFile(join(framework, "known.json"), JSON.stringify(known));
      await writeFile(join(framework, "run.sh"), 'python3 "$1/main.py" "$1" "$2" "$3"\n');
      await writeFile(join(framework, "main.py"), script(columns));
      if (kind === "worker") {
        await writeFile(join(framework, "worker.bash"), 'exec python3 "$1/worker.py" "$1"\n');
        await writeFile(join(framework, "worker.py"), worker(columns));
      }
      const asked = [...rows, ...rows].map(([, input]) => input);
      await box.inputs("asked.csv", asked);
      const words = ["run", "--model", folder, "-i", "asked.csv", "--local", box.path(`cache-${kind}-${id}`)];
      const expected = [...rows, ...rows].map(([key, input, cells]) => [key, input, ...cells.map(String)]);
      for (const [output, more] of [
        ["computed.csv", []],
        ["stored.csv", ["--local-cache-only"]],
      ] as const) {
        await box.json(...words, "-o", output, ...more);
        const found = (await box.read(output)).trimEnd().split("\n");
        expect(found[0]).toBe(["key", "input", ...columns].join(","));
        expect(found.slice(1).map((line) => line.split(","))).toEqual(expected);
      }
    },
  );
});

const script = (columns: readonly string[]) => `
import csv, json, os, sys
known = json.load(open(os.path.join(sys.argv[1], "known.json")))
with open(sys.argv[2], newline="") as source:
    inputs = [row[0] for row in list(csv.reader(source))[1:]]
with open(sys.argv[3], "w", newline="") as target:
    out = csv.writer(target)
    out.writerow(${JSON.stringify(columns)})
    for each in inputs:
        out.writerow(known[each])
`;

const worker = (columns: readonly string[]) => `
import json, os, sys
known = json.load(open(os.path.join(sys.argv[1], "known.json")))
print(json.dumps({"protocol": "memoir-lines", "version": 1}), flush=True)
for line in sys.stdin:
    request = json.loads(line)
    rows = [known[each] for each in request["inputs"]]
    print(json.dumps({"id": request["id"], "columns": ${JSON.stringify(columns)}, "rows": rows}), flush=True)
`;
