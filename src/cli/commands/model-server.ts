/** memoir model-server MODEL: one model over HTTP until it is stopped. */
import { AppError, defined, messageOf } from "../../kernel/index.ts";
import { defineCommand } from "../command.ts";
import {
  isolationOptions,
  localRuleOptions,
  lookUpOptions,
  modeOptions,
  predictionOptionsOf,
  sessionOption,
  tierOptions,
} from "../model-options.ts";
import { requireKeysBeyond, urlOf } from "../serving.ts";
import { stopOfServer } from "../stop-of-server.ts";

interface ModelServerResult {
  readonly url: string;
  readonly model: string;
  readonly release: string;
  readonly authentication: "access-keys" | "none";
  readonly local: string;
  readonly cloud: string;
}

const openAccount = "000000000000";

export const command = defineCommand<ModelServerResult>({
  name: "model-server",
  summary: "Serve a model over HTTP with the routes of ersilia-pack",
  details: [
    "Clients of ersilia-pack's server work unchanged: the same routes, parameters, orientations, answers and errors. Stored predictions are answered from the caches, the rest is computed, each input once however many clients ask for it, and recorded before it is answered.",
    "Without --access-keys the server listens only on this machine, and everybody on it may use it. With keys each request is signed, or carries a token (as a bearer token, or as the password of basic authentication), and each account sees and resets only its own jobs.",
    "/healthz, /metrics and /docs describe the server; docs/model-server.md describes every route.",
  ],
  arguments: [
    {
      name: "MODEL",
      description: "id, slug, folder of a model, or URL of a running server",
      default: "the model of the session",
    },
  ],
  options: [
    {
      flags: "--port <n>",
      description: "port to listen on; 0 chooses a free one",
      default: "8000",
      kind: "count",
    },
    { flags: "--host <address>", description: "address to listen on", default: "127.0.0.1" },
    {
      flags: "--access-keys <file>",
      description:
        "JSON list of accessKeyId, secretAccessKey and account (12 digits), and optionally token, operator, predictions and models",
    },
    ...modeOptions,
    ...lookUpOptions.filter(({ flags }) => !flags.startsWith("--missing")),
    ...isolationOptions,
    ...tierOptions,
    ...localRuleOptions,
    sessionOption,
    {
      flags: "--cache-parameters <what>",
      description:
        "fetch_cache and save_cache of requests: honoured computes again where a client says so, ignored always uses the caches",
      default: "honoured",
      choices: ["honoured", "ignored"],
    },
    {
      flags: "--failed-rows <what>",
      description:
        "answer where single inputs fail: refuse answers 500 for the whole request, null answers null for these inputs",
      default: "refuse",
      choices: ["refuse", "null"],
    },
    {
      flags: "--rate-limit <rate>",
      description: "requests of one account that are answered, such as 100/minute",
      default: "none",
    },
    {
      flags: "-w, --workers <n>",
      description: "batches of the model at the same time",
      default: "1; 2 for built-in models",
      kind: "count",
    },
    { flags: "--timeout <seconds>", description: "time limit of one batch", default: "600", kind: "number" },
    {
      flags: "--for <seconds>",
      description: "stop after this time; for trying the server out",
      kind: "number",
    },
  ],
  examples: [{ command: "memoir model-server eos3b5e --port 0 --for 1" }],
  act: async (given, { app, ask, screen }) => {
    const host = given.text("host") ?? "127.0.0.1";
    const { listen } = await import("../../http/index.ts");
    const { createModelServer, parseRate } = await import("../../model-server/index.ts");
    const rateText = given.text("rate-limit");
    const rate = rateText === undefined ? undefined : parseRate(rateText);
    if (rateText !== undefined && rate === undefined)
      throw new AppError(
        "CLI_USAGE",
        `memoir model-server: --rate-limit must be a number and a period such as 100/minute, got ${JSON.stringify(rateText)}`,
      );
    const warn = (message: string) => screen.say(`${screen.paint.yellow("warning:")} ${message}`);
    const timeout = given.text("timeout");
    const parts = await (await app()).openModelServer(
      {
        ...predictionOptionsOf(given),
        ...defined({
          model: given.argument(0),
          accessKeys: given.text("access-keys"),
          workers: given.count("workers"),
          timeoutMs: timeout === undefined ? undefined : Number(timeout) * 1000,
        }),
      },
      warn,
      ask,
    );
    try {
      requireKeysBeyond(host, parts.keys);
      const server = createModelServer({
        ...{ parts, openAccount, now: () => new Date() },
        failedRows: given.text("failed-rows") === "null" ? "null" : "refuse",
        cacheParameters: given.text("cache-parameters") === "ignored" ? "ignored" : "honoured",
        ...defined({ rate }),
        onBug: (error) => screen.say(`bug: ${messageOf(error)}`),
      });
      const listening = await listen(server, { host, port: given.count("port") ?? 8000 });
      const { model, keys, caches } = parts;
      const result: ModelServerResult = {
        ...{ url: urlOf(host, listening.port), model: model.id, release: model.release },
        authentication: keys.length === 0 ? "none" : "access-keys",
        ...caches,
      };
      screen.say(`serving ${model.id} (${model.title}, ${model.release}) at ${result.url}`);
      if (model.reusable.kind === "never")
        warn(`answers of ${model.id} are never reused: ${model.reusable.reason}`);
      if (keys.length === 0)
        warn(
          "requests are not authenticated: anyone on this machine can use this server; use --access-keys FILE to change this",
        );
      server.resume();
      await stopOfServer(ask.signal, given.text("for"));
      await listening.close();
      await server.close();
      return result;
    } finally {
      await parts.close();
    }
  },
  render: (result, screen) => screen.say(`stopped serving ${result.model} at ${result.url}`),
});
