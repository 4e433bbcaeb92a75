/**
 * A model server that speaks the protocol of ersilia-pack, in the test process on loopback. It can be made to fail.
 *
 *   GET  /                       {"<id>":"<slug>"}                       the readiness probe
 *   GET  /card                   the metadata, with Identifier, Slug, Output Type …
 *   GET  /run/columns/input      ["smiles"]
 *   GET  /run/columns/output     ["<column>", …]
 *   GET  /run/example/input      ["<input>", …]
 *   GET  /run/example/output     [{"<column>": <value>}, …]
 *   POST /run?orient=records     body ["<input>", …] or [{"key":…,"input":…}, …]
 *                                200 [{"<column>": <value>}, …], one record per input, in order
 *                                422 {"detail":"Data is empty."} for an empty list
 *                                500 {"detail":"Internal processing error …"} when any input is bad: no row is answered
 *   POST /run?orient=values      200 [[<value>, …], …]
 * Servers of the older BentoML kind answer {"result":[{"outcome":[<value>, …]}, …],"meta":{"outcome":["<column>", …]}}.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { text } from "node:stream/consumers";

type Value = number | string | null;

export interface ErsiliaPackOptions {
  readonly id: string;
  readonly slug: string;
  readonly columns: readonly string[];
  /** `Float`, `Integer`, `String`, as the card states it. */
  readonly outputType?: string;
  readonly examples: readonly string[];
  /** undefined = a bad input: the whole request fails, as it does with real models. */
  readonly answer: (input: string) => readonly Value[] | undefined;
  readonly legacy?: true;
  /** Default: `v1.0.0`. */
  readonly release?: string;
  /** Default: a free one. */
  readonly port?: number;
  /** Every answer ends its connection. */
  readonly connections?: "closed-each-time";
}

export interface ErsiliaPackServer {
  readonly url: string;
  /** Inputs of every POST /run so far, failed ones included. */
  readonly runs: readonly (readonly string[])[];
  /** Query strings of every POST /run. */
  readonly queries: readonly string[];
  /** The next POST /run requests get these statuses; 0 = the connection is cut. */
  failNext(...statuses: readonly number[]): void;
  /** The next `probes` GET / are answered 503. */
  notReadyFor(probes: number): void;
  /** The next answer has one row less. */
  loseRow(): void;
  /** The next POST /run is never answered. */
  hangOnce(): void;
  /** The next POST /run are answered with these texts and status 200; `cut` breaks the connection in the middle of it. */
  sayNext(...texts: readonly (string | { readonly cut: string })[]): void;
  /** From now on it is this, over the connections that there are: as what is behind a proxy changes. */
  become(changes: Partial<ErsiliaPackOptions>): void;
  close(): Promise<void>;
}

export async function startErsiliaPack(first: ErsiliaPackOptions): Promise<ErsiliaPackServer> {
  let options = first;
  const runs: string[][] = [];
  const queries: string[] = [];
  const failures: number[] = [];
  const texts: (string | { readonly cut: string })[] = [];
  const sockets = new Set<Socket>();
  let notReady = 0;
  let losing = false;
  let hanging = false;

  const send = (response: ServerResponse, status: number, body: unknown) => {
    response.writeHead(status, { "content-type": "application/json", "x-request-id": "test" });
    response.end(JSON.stringify(body));
  };
  const record = (values: readonly Value[]) =>
    // Last column first: clients must not rely on the order of members.
    Object.fromEntries(options.columns.map((name, i) => [name, values[i] ?? null] as const).reverse());

  const run = async (request: IncomingMessage, response: ServerResponse, query: URLSearchParams) => {
    const body = JSON.parse(await text(request)) as (string | { input: string })[];
    const inputs = body.map((item) => (typeof item === "string" ? item : item.input));
    runs.push(inputs);
    queries.push(query.toString());
    if (hanging) {
      hanging = false;
      return;
    }
    const said = texts.shift();
    if (typeof said === "string") return void response.writeHead(200).end(said);
    if (said !== undefined) {
      response.writeHead(200, { "content-length": said.cut.length + 10 });
      response.write(said.cut, () => request.socket.destroy());
      return;
    }
    const failure = failures.shift();
    if (failure === 0) return void request.socket.destroy();
    if (failure !== undefined) return send(response, failure, { detail: `set to answer ${failure}` });
    if (inputs.length === 0) return send(response, 422, { detail: "Data is empty.", traceback: "" });
    const answers = inputs.map(options.answer);
    if (answers.includes(undefined)) {
      const detail = "Internal processing error due to a shell execution";
      return send(response, 500, { detail, traceback: "Traceback …" });
    }
    const rows = answers.map((values) => values ?? []).slice(losing ? 1 : 0);
    losing = false;
    if (options.legacy)
      send(response, 200, {
        result: rows.map((outcome) => ({ outcome })),
        meta: { outcome: options.columns },
      });
    else if (query.get("orient") === "values") send(response, 200, rows);
    else send(response, 200, rows.map(record));
  };

  const answerGet = (path: string): unknown => {
    switch (path) {
      case "/":
        return { [options.id]: options.slug };
      case "/card":
        return {
          Identifier: options.id,
          Slug: options.slug,
          Title: options.slug,
          Task: "Annotation",
          "Output Consistency": "Fixed",
          "Output Type": [options.outputType ?? "Float"],
          Release: options.release ?? "v1.0.0",
        };
      case "/run/columns/input":
        return ["smiles"];
      case "/run/columns/output":
        return options.columns;
      case "/run/example/input":
        return options.examples;
      case "/run/example/output":
        return options.examples.map((input) => record(options.answer(input) ?? []));
      default:
        return undefined;
    }
  };

  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://localhost");
    if (options.connections !== undefined) response.setHeader("connection", "close");
    if (request.method === "POST" && url.pathname === "/run") {
      run(request, response, url.searchParams).catch(() => request.socket.destroy());
      return;
    }
    if (url.pathname === "/" && notReady > 0) {
      notReady--;
      return send(response, 503, { detail: "starting" });
    }
    const body = request.method === "GET" ? answerGet(url.pathname) : undefined;
    send(response, body === undefined ? 404 : 200, body ?? { detail: "Not Found" });
  });
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    runs,
    queries,
    failNext: (...statuses) => void failures.push(...statuses),
    notReadyFor: (probes) => {
      notReady = probes;
    },
    loseRow: () => {
      losing = true;
    },
    hangOnce: () => {
      hanging = true;
    },
    sayNext: (...some) => void texts.push(...some),
    become: (changes) => {
      options = { ...options, ...changes };
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
