/** `memoir model-server` as users start it, and models that write down what they compute. */
import { existsSync, readFileSync } from "node:fs";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, vi } from "vitest";
import type { Ended, Sandbox, Started } from "../cli/memoir.ts";
import { limitMs } from "../limit.mjs";

export interface ModelServerProcess {
  readonly url: string;
  readonly started: Started;
  post(path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  /** `name{labels}` of `/metrics`. */
  metric(sample: string): Promise<number>;
  stop(signal?: NodeJS.Signals): Promise<Ended>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: unknown;
}

export async function startModelServer(
  sandbox: Sandbox,
  ...words: readonly string[]
): Promise<ModelServerProcess> {
  const started = sandbox.start("model-server", ...words, "--port", "0");
  let over: Ended | undefined;
  void started.ended.then((ended) => {
    over = ended;
  });
  const urlNow = () => / at (http:\/\/\S+)/.exec(started.err())?.[1];
  await vi.waitFor(() => expect(urlNow() ?? over).toBeDefined(), { timeout: limitMs });
  const url = urlNow();
  if (url === undefined) throw new Error(`the server did not start: ${JSON.stringify(over)}`);
  const send = async (path: string, init: RequestInit): Promise<Answer> => {
    const response = await fetch(`${url}${path}`, { redirect: "manual", ...init });
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.startsWith("application/json") === true;
    return {
      status: response.status,
      headers: response.headers,
      text,
      json: isJson ? JSON.parse(text) : undefined,
    };
  };
  const get = (path: string, headers: Readonly<Record<string, string>> = {}) => send(path, { headers });
  return {
    url,
    started,
    get,
    post: (path, body, headers = {}) =>
      send(path, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
      }),
    metric: async (sample) => {
      const { text } = await get("/metrics");
      const line = text.split("\n").find((each) => each.startsWith(`${sample} `));
      return Number(line?.slice(sample.length + 1) ?? Number.NaN);
    },
    stop: (signal = "SIGTERM") => {
      started.process.kill(signal);
      return started.ended;
    },
  };
}

/**
 * A model that answers the length of each input, fails for inputs with an `!`, and writes every input that it computes
 * into `computed`. While there is a file `hold`, it waits.
 */
export class CountingModel {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async create(
    folder: string,
    metadata: Readonly<Record<string, string>> = {},
  ): Promise<CountingModel> {
    const framework = join(folder, "model", "framework");
    await mkdir(join(framework, "columns"), { recursive: true });
    await mkdir(join(framework, "examples"), { recursive: true });
    const facts = {
      ...{ Identifier: "eos0cnt", Slug: "counting", Title: "Counting", Release: "v1.0.0" },
      ...{ "Output Consistency": "Fixed", Task: "Annotation", ...metadata },
    };
    const lines = Object.entries(facts).map(([name, value]) => `${name}: ${value}\n`);
    await writeFile(join(folder, "metadata.yml"), lines.join(""));
    await writeFile(
      join(framework, "columns", "run_columns.csv"),
      "name,type,direction,description\nlength,integer,high,Length\nhalf,float,high,Half of it\n",
    );
    await writeFile(join(framework, "examples", "run_input.csv"), "input\nCCO\nC\n");
    await writeFile(join(framework, "examples", "run_output.csv"), "length,half\n3,1.5\n1,0.5\n");
    const run = join(framework, "run.sh");
    await writeFile(
      run,
      `while [ -e "${folder}/hold" ]; do sleep 0.05; done
tail -n +2 "$2" >> "${folder}/computed"
echo batch >> "${folder}/batches"
grep -q '!' "$2" && { echo "an exclamation mark" >&2; exit 1; }
awk 'NR == 1 { print "length,half"; next } { sub(/\\r$/, ""); n = length($0); printf "%d,%.17g\\n", n, n / 2 }' "$2" > "$3"
`,
    );
    await chmod(run, 0o755);
    return new CountingModel(folder);
  }

  get computed(): readonly string[] {
    return this.#lines("computed");
  }

  get batches(): number {
    return this.#lines("batches").length;
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  #lines(name: string): readonly string[] {
    const file = this.path(name);
    return existsSync(file) ? readFileSync(file, "utf8").trimEnd().split("\n") : [];
  }
}
