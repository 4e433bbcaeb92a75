/** What the pages of a run show: over real runs of the command line and of the server. */
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { get as httpGet } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { thisOwner } from "../../src/process/index.ts";
import { schemas } from "../../src/v1/index.ts";
import { Sandbox } from "../cli/memoir.ts";
import { limitMs } from "../limit.mjs";
import { openServer, type RawResponse, type TestServer, uniqueId } from "./harness.ts";
import { schemaFaults } from "./json-schema.ts";
import { get, start, workflow } from "./plain-client.ts";

const wdl = `version 1.1
task make {
  input { String name }
  command <<<
    echo "made ~{name}" >&2
    echo "hello ~{name}" > out.txt
  >>>
  output { File made = "out.txt" }
  runtime { cpu: 1  memory: "100 MB" }
}
task report {
  input { Array[File] parts }
  command <<<
    cat ~{sep=" " parts} > all.txt
    printf 'name,"the count"\\nAda,1\\n"Bo ""b""",2\\n' > table.csv
    printf '<script>alert(1)</script>' > page.html
    printf '\\000\\001' > data.bin
    echo done
  >>>
  output { File all = "all.txt"  File table = "table.csv"  File page = "page.html"  File data = "data.bin" }
}
workflow pages {
  input { Array[String] names }
  scatter (name in names) { call make { input: name } }
  call report { input: parts = make.made }
  output { File all = report.all  File table = report.table  File page = report.page  File data = report.data }
}
`;

type Body = Readonly<Record<string, unknown>>;
type Rows = readonly Body[];

describe("runs of a server without access keys", () => {
  let sandbox: Sandbox;
  let server: TestServer;
  let first: string;
  let second: string;
  let ofServer: string;

  const asked = (path: string, headers: Record<string, string> = {}): Promise<RawResponse> =>
    server.raw({ method: "GET", path: `/api/v1${path}`, headers });
  const answer = async (path: string, schema: string): Promise<Body> => {
    const response = await asked(path);
    expect(response.status, response.text).toBe(200);
    expect(schemaFaults(response.body, { $ref: `#/components/schemas/${schema}` }, schemas)).toEqual([]);
    return response.body;
  };
  const change = (path: string, body: unknown) =>
    server.raw({ method: "POST", path: `/api/v1${path}`, body: JSON.stringify(body) });

  beforeAll(async () => {
    sandbox = await Sandbox.create();
    await sandbox.write("pages.wdl", wdl);
    const run = async (names: string) => {
      const words = ["--executor", "host", "--cache-host-tasks", "--json"];
      const { code, out, err } = await sandbox.run("run", "pages.wdl", `names=${names}`, ...words);
      expect(code, err).toBe(0);
      return String((JSON.parse(out) as Body)["run"]);
    };
    first = await run('["Ada"]');
    second = await run('["Ada","Bob"]');
    server = await openServer({ folder: sandbox.folder });
    const id = await workflow(server, { "main.wdl": wdl });
    ofServer = String((await start(server, id, { name: "Third", parameters: { names: ["Zoe"] } }))["id"]);
    await vi.waitFor(
      async () => expect((await get(server, `/run/${ofServer}`))["status"]).toBe("COMPLETED"),
      { timeout: 2 * limitMs, interval: 50 },
    );
  }, 4 * limitMs);
  afterAll(async () => {
    await server.close();
    expect(server.bugs).toEqual([]);
  });

  it("runs are found by a part of their name, and by when they began", async () => {
    const ids = async (query: string) =>
      ((await answer(`/runs?${query}`, "RunList"))["runs"] as Rows).map(({ id }) => id);
    expect(await ids("search=thIRD")).toEqual([ofServer]);
    expect(await ids(`search=${first.slice(-6)}`)).toEqual([first]);
    expect(await ids("search=pages&origin=home")).toEqual([second, first]);
    expect(await ids("since=2099-01-01T00:00:00Z")).toEqual([]);
    expect(await ids("until=2000-01-01T00:00:00Z")).toEqual([]);
    expect((await ids("since=2000-01-01T00:00:00Z")).length).toBe(3);
  });

  it("the timeline has each call's phases in order, reused ones without a run, and marks the critical path", async () => {
    const { calls, endedAt } = await answer(`/runs/${second}/timeline`, "Timeline");
    const byCall = new Map((calls as Rows).map((row) => [row["call"], row]));
    const reused = byCall.get("pages.make[0]");
    expect(reused?.["state"]).toBe("reused");
    expect(reused?.["phases"]).toMatchObject([{ phase: "identify" }]);
    const computed = byCall.get("pages.make[1]")?.["phases"] as Rows;
    const names = computed.map(({ phase }) => phase);
    expect(names).toContain("run");
    expect(
      ["identify", "wait", "stage", "run", "collect", "record"].filter((name) => names.includes(name)),
    ).toEqual(names);
    for (const [index, { from, to }] of computed.entries()) {
      expect(Number(to)).toBeGreaterThanOrEqual(Number(from));
      if (index > 0) expect(from).toBe(computed[index - 1]?.["to"]);
      expect(Number(to)).toBeLessThanOrEqual(Number(endedAt));
    }
    const ends = (calls as Rows).flatMap(({ phases }) => (phases as Rows).map(({ to }) => Number(to)));
    expect(endedAt).toBe(Math.max(...ends));
    const critical = (calls as Rows).filter((row) => row["critical"] === true).map(({ call }) => call);
    // Which of its two inputs came last depends on the machine: reuse, too, takes its time.
    const makers = critical.filter((call) => call !== "pages.report");
    expect(critical).toContain("pages.report");
    expect([["pages.make[0]"], ["pages.make[1]"]]).toContainEqual(makers);
  });

  it("the graph folds the calls of a task and counts the files between tasks", async () => {
    expect(await answer(`/runs/${second}/graph`, "RunGraph")).toEqual({
      nodes: [
        { id: "make", calls: 2, states: { reused: 1, computed: 1 } },
        { id: "report", calls: 1, states: { computed: 1 } },
      ],
      edges: [{ from: "make", to: "report", files: 2 }],
    });
  });

  it("resources compare what was asked with what was used", async () => {
    const { tasks } = await answer(`/runs/${second}/resources`, "RunResources");
    expect((tasks as Rows)[0]).toMatchObject({
      ...{ task: "make", calls: 2, asked: { cpu: 1, memoryBytes: 100_000_000 } },
      wallSeconds: { count: 1 },
    });
  });

  it("a call says why it was computed, where its files came from, and where they went", async () => {
    const call = encodeURIComponent("pages.make[1]");
    const detail = await answer(`/runs/${second}/call?call=${call}`, "CallDetail");
    expect(detail["call"]).toMatchObject({ call: "pages.make[1]", state: "computed" });
    expect(detail["command"]).toContain("hello Bob");
    expect((detail["explanation"] as Body)["words"]).toContain("command");
    expect(detail["attempts"]).toMatchObject([{ attempt: 1 }]);
    expect(detail["outputs"]).toMatchObject([
      { output: "made", path: "out/made/out.txt", bytes: 10, usedBy: ["pages.report"] },
    ]);
    const report = await answer(`/runs/${second}/call?call=pages.report`, "CallDetail");
    expect((report["inputs"] as Rows).map(({ from }) => from)).toEqual([
      ["pages.make[0]"],
      ["pages.make[1]"],
    ]);
    expect((await asked(`/runs/${second}/call?call=none`)).status).toBe(404);
  });

  it("inputs are answered as they were given", async () => {
    expect(await answer(`/runs/${first}/inputs`, "RunInputs")).toEqual({
      run: first,
      inputs: { names: ["Ada"] },
    });
    expect((await answer(`/runs/${ofServer}/inputs`, "RunInputs"))["inputs"]).toEqual({ names: ["Zoe"] });
  });

  it("output is read from a byte on, and as a stream that continues", async () => {
    const call = encodeURIComponent("pages.make[1]");
    const path = `/runs/${second}/output?call=${call}&stream=stderr`;
    expect(await answer(path, "CallOutput")).toEqual({
      ...{ text: "made Bob\n", from: 0, next: 9, size: 9, ended: true },
    });
    expect((await answer(`${path}&from=5`, "CallOutput"))["text"]).toBe("Bob\n");
    const events = await read(server, path);
    expect(events).toMatchObject([
      { id: "9", event: "text", data: { text: "made Bob\n", next: 9 } },
      { event: "end" },
    ]);
    expect(await read(server, path, "5")).toMatchObject([{ data: { text: "Bob\n" } }, { event: "end" }]);
    expect((await asked(`/runs/${second}/output?call=none`, stream)).status).toBe(404);
    const inLedger = `/runs/${ofServer}/output?call=${encodeURIComponent("pages.make[0]")}`;
    expect((await answer(inLedger, "CallOutput"))["text"]).toContain("made Zoe");
  });

  it("calls that changed are answered since a mark, and streamed", async () => {
    const page = await answer(`/runs/${second}/calls`, "CallList");
    expect(page["total"]).toBe(3);
    const since = await answer(`/runs/${second}/calls?since=${page["changes"]}`, "CallList");
    expect(since).toMatchObject({ calls: [], changes: page["changes"] });
    expect((await answer(`/runs/${second}/calls?search=REPORT`, "CallList"))["total"]).toBe(1);
    const [sent, end] = await read(server, `/runs/${second}/calls`);
    expect(sent).toMatchObject({ id: page["changes"], event: "calls", data: { total: 3 } });
    expect(end).toMatchObject({ event: "end" });
    expect(await read(server, `/runs/${second}/calls`, String(page["changes"]))).toMatchObject([
      { event: "end" },
    ]);
    expect((await asked(`/runs/none/calls`, stream)).status).toBe(404);
  });

  it("outputs are a tree; previews are text, rows, or a word that there is none", async () => {
    const { members } = await answer(`/runs/${second}/files`, "FileTree");
    expect((members as Rows).map(({ name, kind }) => [name, kind])).toEqual(
      ["all", "data", "page", "table"].map((name) => [name, "folder"]),
    );
    const below = await answer(`/runs/${second}/files?path=all`, "FileTree");
    expect(below["members"]).toMatchObject([
      { name: "all.txt", path: "all/all.txt", kind: "file", bytes: 20 },
    ]);
    const preview = (path: string) => answer(`/runs/${second}/preview?path=${path}`, "FilePreview");
    expect(await preview("all/all.txt")).toMatchObject({ kind: "text", text: "hello Ada\nhello Bob\n" });
    expect((await preview("table/table.csv"))["rows"]).toEqual([
      ["name", "the count"],
      ["Ada", "1"],
      ['Bo "b"', "2"],
    ]);
    expect(await preview("page/page.html")).toMatchObject({ kind: "html" });
    expect(await preview("data/data.bin")).toEqual({ path: "data/data.bin", bytes: 2, kind: "other" });
    for (const path of ["none", "../inputs.json", "all/../../run.json", "/etc/passwd", "all//all.txt", ""])
      expect(
        (await asked(`/runs/${second}/preview?path=${encodeURIComponent(path)}`)).status,
        path,
      ).toBeGreaterThanOrEqual(400);
    const exported = await answer(`/runs/${ofServer}/files?path=all`, "FileTree");
    expect(exported["members"]).toMatchObject([{ name: "all.txt" }]);
  });

  it("files are saved whole, and HTML is shown without an origin only", async () => {
    const saved = await asked(`/runs/${second}/file?path=all/all.txt`);
    expect(saved.text).toBe("hello Ada\nhello Bob\n");
    expect(saved.headers["content-disposition"]).toBe("attachment; filename*=UTF-8''all.txt");
    const raw = `/runs/${second}/raw?path=page/page.html`;
    const shown = await asked(raw);
    expect(shown.headers["content-type"]).toBe("text/html; charset=utf-8");
    expect(String(shown.headers["content-security-policy"])).toMatch(/^default-src 'none'.*; sandbox$/);
    const framed = await asked(raw, { "sec-fetch-dest": "iframe" });
    const policy = String(framed.headers["content-security-policy"]);
    expect(policy).toMatch(/sandbox allow-scripts$/);
    expect(policy).not.toContain("allow-same-origin");
    expect((await asked(`/runs/${second}/raw?path=all/all.txt`)).status).toBe(400);
  });

  it("a link among the outputs leads nowhere", async () => {
    const out = join(sandbox.home, "runs", first, "out");
    await symlink("/etc", join(out, "etc"));
    await symlink("/etc/passwd", join(out, "passwd"));
    for (const path of ["etc/passwd", "passwd"])
      expect((await asked(`/runs/${first}/file?path=${path}`)).status, path).toBeGreaterThanOrEqual(400);
  });

  it(
    "the list is followed: a run that begins, ends and is deleted",
    async () => {
      const id = "20990101-000000-follow";
      const directory = join(sandbox.home, "runs", id);
      const record = {
        ...{ id, workflow: "followed", language: "wdl", source: "x", executor: "host" },
        owner: thisOwner(),
      };
      const write = (more: object) =>
        writeFile(
          join(directory, "run.json"),
          JSON.stringify({ ...record, startedAt: new Date().toISOString(), ...more }),
        );
      const seen: Sent[] = [];
      const stop = follow(server, "/runs/changes", seen);
      try {
        await mkdir(directory, { recursive: true });
        await write({ state: "running" });
        const states = () =>
          seen.filter(({ data }) => data["id"] === id).map(({ event, data }) => data["state"] ?? event);
        const until = (wanted: readonly string[]) =>
          vi.waitFor(() => expect(states()).toEqual(wanted), { timeout: limitMs, interval: 50 });
        await until(["running"]);
        await write({ state: "succeeded", endedAt: new Date().toISOString() });
        await until(["running", "succeeded"]);
        expect((await change("/runs/delete", { runs: [id, "none"] })).body).toEqual({
          results: [
            { run: id, done: true },
            expect.objectContaining({ run: "none", done: false, code: "RUN_NOT_FOUND" }),
          ],
        });
        await until(["running", "succeeded", "gone"]);
      } finally {
        stop();
      }
    },
    4 * limitMs,
  );

  it(
    "runs of the server are cancelled and deleted, and only as their state allows",
    async () => {
      const cancelled = await change("/runs/cancel", { runs: [ofServer, first] });
      expect((cancelled.body["results"] as Rows).map(({ code }) => code)).toEqual([
        "RUN_NOT_RUNNING",
        "RUN_NOT_RUNNING",
      ]);
      const id = await workflow(server, { "main.wdl": wdl.replace("echo done", "sleep 600") });
      const run = String((await start(server, id, { parameters: { names: ["Zoe"] } }))["id"]);
      const state = async () => (await get(server, `/run/${run}`))["status"];
      await vi.waitFor(async () => expect(await state()).toBe("RUNNING"), { timeout: limitMs, interval: 50 });
      expect((await change("/runs/delete", { runs: [run] })).body["results"]).toMatchObject([
        { code: "RUN_STILL_RUNNING" },
      ]);
      expect((await change("/runs/cancel", { runs: [run] })).body["results"]).toEqual([{ run, done: true }]);
      await vi.waitFor(async () => expect(await state()).toBe("CANCELLED"), {
        timeout: limitMs,
        interval: 50,
      });
      expect((await change("/runs/delete", { runs: [run] })).body["results"]).toEqual([{ run, done: true }]);
      expect((await asked(`/runs/${run}`)).status).toBe(404);
      for (const body of [{}, { runs: [] }, { runs: "x" }, { runs: [1] }, { runs: ["x"], odd: 1 }, [], "x"])
        expect((await change("/runs/delete", body)).status, JSON.stringify(body)).toBe(400);
    },
    4 * limitMs,
  );
});

it("accounts see the pages of their runs only, and no places of the server", async () => {
  const key = (accessKeyId: string, account: string) => ({
    ...{ accessKeyId, account, secretAccessKey: "s".repeat(20), token: accessKeyId.repeat(8) },
  });
  const server = await openServer({ keys: [key("AKIDA", "111111111111"), key("AKIDB", "222222222222")] });
  try {
    const as = (
      token: string,
      path: string,
      more: { readonly method?: string; readonly body?: string } = {},
    ) =>
      server.raw({
        ...{ method: "GET", path: `/api/v1${path}`, ...more },
        headers: { authorization: `Bearer ${token.repeat(8)}` },
      });
    const home = join(server.folder, "home", "runs", uniqueId());
    await mkdir(home, { recursive: true });
    expect((await as("AKIDA", "/runs?origin=home")).body).toEqual({ runs: [] });
    for (const part of ["timeline", "graph", "resources", "inputs", "files", "call?call=x", "output?call=x"])
      expect((await as("AKIDA", `/runs/1/${part}`)).status, part).toBe(404);
    const deleted = await as("AKIDB", "/runs/delete", {
      method: "POST",
      body: '{"runs":["20260101-000000-x"]}',
    });
    expect(deleted.body["results"]).toMatchObject([{ done: false, code: "RUN_NOT_FOUND" }]);
  } finally {
    await server.close();
  }
});

interface Sent {
  readonly id?: string;
  readonly event: string;
  readonly data: Body;
}

const stream = { accept: "text/event-stream" };

function parse(text: string): readonly Sent[] {
  return text.split("\n\n").flatMap((block) => {
    const line = (name: string) => new RegExp(`^${name}: (.*)$`, "m").exec(block)?.[1];
    const [id, event, data] = [line("id"), line("event"), line("data")];
    if (event === undefined || data === undefined) return [];
    return [{ event, data: JSON.parse(data) as Body, ...(id === undefined ? {} : { id }) }];
  });
}

/** A stream to its end. */
async function read(server: TestServer, path: string, after?: string): Promise<readonly Sent[]> {
  const headers = { ...stream, ...(after === undefined ? {} : { "last-event-id": after }) };
  return parse((await server.raw({ method: "GET", path: `/api/v1${path}`, headers })).text);
}

/** Collects events until it is stopped. */
function follow(server: TestServer, path: string, seen: Sent[]): () => void {
  let rest = "";
  const request = httpGet(
    { host: "127.0.0.1", port: server.port, path: `/api/v1${path}`, headers: stream },
    (answer) =>
      answer.setEncoding("utf8").on("data", (text: string) => {
        const blocks = `${rest}${text}`.split("\n\n");
        rest = blocks.pop() ?? "";
        seen.push(...parse(blocks.join("\n\n")));
      }),
  );
  request.on("error", () => {});
  return () => request.destroy();
}
