/** memoir server: the HealthOmics API until it is stopped. */
import type { OmicsOptions } from "../../app/index.ts";
import { defined, isAppError, messageOf } from "../../kernel/index.ts";
import { checkWord, runWord } from "../check-word.ts";
import { defineCommand, type Given } from "../command.ts";
import { executorOrder } from "../executor-options.ts";
import { runAgainWord } from "../run-again-word.ts";
import { serverOptions } from "../server-options.ts";
import { requireKeysBeyond, urlOf } from "../serving.ts";
import { configOptions, configured } from "../settings.ts";
import { siteFolder } from "../site.ts";
import { stopOfServer } from "../stop-of-server.ts";
import { version } from "../version.ts";

interface ServerResult {
  readonly url: string;
  readonly authentication: "access-keys" | "none";
  readonly ledger: string;
}

const openAccount = "000000000000";

export const command = defineCommand<ServerResult>({
  name: "server",
  summary: "Serve the AWS HealthOmics workflows API for unmodified AWS clients",
  details: [
    "Runs, tasks, caches and workflows are kept in a ledger in the home folder; a server that was stopped or killed resumes its runs when it starts again.",
    "With --access-keys every request must be signed with one of the keys, and each account sees only its own records. Without it, requests are not authenticated and the server listens only on this machine.",
    "Accounts separate records, not programs: tasks of the host executor can read everything that the server can read. Use --executor container if accounts do not trust each other.",
    "The same port serves the web page: its link is printed and signs in once; `memoir ui` prints another one. With --access-keys people sign in with a key.",
    "The same port answers /api/v1 (runs, caches and predictions as JSON), /v1 (look-ups and jobs over stored predictions), /healthz, /readyz and /metrics; docs/server.md describes them.",
    "Disable the host prefix in clients: AWS_DISABLE_HOST_PREFIX_INJECTION=true for the AWS command line and boto3, disableHostPrefix: true for JavaScript.",
  ],
  options: [...serverOptions, ...configOptions],
  examples: [{ command: "memoir server --port 0 --executor host --cache-host-tasks --for 1" }],
  act: async (flags, { app, ask, screen }) => {
    const { given, taskExecutors } = await configured(flags, { app, screen });
    const host = given.text("host") ?? "127.0.0.1";
    const { listen } = await import("../../http/index.ts");
    const { createServer } = await import("../../mounts/index.ts");
    const onBug = (error: unknown) => screen.say(`bug: ${messageOf(error)}`);
    const opening = await app();
    const open = () => opening.openOmics({ ...optionsOf(given), taskExecutors }, onBug);
    const omics = await open().catch(async (error: unknown) => {
      if (!isAppError(error, "SERVER_HOME_IN_USE") || !(await opening.page.endUi(ask))) throw error;
      screen.say("ended memoir ui, which served the page of this home: this server does now");
      return open();
    });
    try {
      requireKeysBeyond(host, omics.keys);
      const region = given.text("region") ?? "us-east-1";
      const server = createServer({
        ...omics,
        version: version(),
        site: siteFolder(),
        openAccount,
        region,
        now: () => new Date(),
        onBug,
      });
      const listening = await listen(server, { host, port: given.count("port") ?? 8080 });
      const result: ServerResult = {
        url: urlOf(host, listening.port),
        authentication: omics.keys.length === 0 ? "none" : "access-keys",
        ledger: omics.ledgerFile,
      };
      screen.say(`listening on ${result.url}`);
      const { secret } = server;
      await omics.announcePage({ url: result.url, ...(result.authentication === "none" ? { secret } : {}) });
      screen.say(`open ${result.url}/${server.signInQuery()} in a browser`);
      if (result.authentication === "none")
        screen.say(
          `${screen.paint.yellow("warning:")} requests are not authenticated: anyone on this machine can use this server; use --access-keys FILE to change this`,
        );
      omics.runs.resume();
      server.resume();
      await stopOfServer(ask.signal, given.text("for"));
      await listening.close();
      await server.close();
      return result;
    } finally {
      await omics.close();
    }
  },
  render: (result, screen) =>
    screen.say(`stopped listening on ${result.url}; active runs resume at the next start`),
});

function optionsOf(given: Given): OmicsOptions {
  const maxRuns = given.count("max-runs");
  const [, program] = process.argv;
  return {
    ...(program !== undefined && {
      checker: [process.execPath, program, checkWord] as const,
      runner: [process.execPath, program, runWord] as const,
      repeater: [process.execPath, program, runAgainWord] as const,
    }),
    executor: executorOrder(given),
    copyInputs: given.is("copy-inputs"),
    cacheHostTasks: given.is("cache-host-tasks"),
    ...defined({
      image: given.text("image"),
      notify: given.text("notify"),
      accessKeys: given.text("access-keys"),
      files: given.text("files"),
      maxRuns,
      runMemoryMiB: given.count("run-memory"),
      schedulerOptions: given
        .text("allow-cluster-options")
        ?.split(",")
        .map((each) => each.trim()),
      gpus: given.count("gpus"),
      region: given.text("region"),
      servedCache: given.text("serve-cache") === "cloud" ? ("cloud" as const) : undefined,
    }),
  };
}
