/** memoir ui: the web page of this home, in the browser. */
import { isAppError, messageOf } from "../../kernel/index.ts";
import { defineCommand } from "../command.ts";
import { runAgainWord } from "../run-again-word.ts";
import { configOptions, configured } from "../settings.ts";
import { siteFolder } from "../site.ts";
import { stopOfServer } from "../stop-of-server.ts";
import { version } from "../version.ts";

interface UiResult {
  /** Without what signs in. */
  readonly url: string;
  /** `joined`: a server runs on this home already, and its page was opened. */
  readonly server: "started" | "joined";
}

const openAccount = "000000000000";
const region = "us-east-1";

export const command = defineCommand<UiResult>({
  name: "ui",
  summary: "Show runs, caches and predictions on a page in the browser",
  details: [
    "The page is served on this machine only, until the command is stopped. Its link signs in once, within ten minutes; run the command again for another one.",
    "While a server runs on the same home, its page is opened instead of starting another one. A server that is started later ends this command, and serves the page itself.",
    "The browser is the program named by BROWSER, or else the system's own; where there is none, open the printed link.",
  ],
  options: [
    { flags: "--port <n>", description: "port to listen on", default: "any free one", kind: "count" },
    { flags: "--no-browser", description: "print the link only" },
    {
      flags: "--for <seconds>",
      description: "stop after this time; for trying the page out",
      kind: "number",
    },
    ...configOptions,
  ],
  examples: [{ command: "memoir ui --no-browser --for 1" }],
  act: async (flags, { app, ask, screen }) => {
    const { given } = await configured(flags, { app, screen });
    const { page, openOmics } = await app();
    const { listen, ticketOf } = await import("../../http/index.ts");
    const show = async (url: string) => {
      screen.say(`open ${url}`);
      if (!given.is("no-browser")) await page.open(url);
    };
    const join = async (): Promise<UiResult | undefined> => {
      const running = await page.running();
      if (running === undefined) return undefined;
      const { url, secret } = running;
      await show(secret === undefined ? `${url}/` : `${url}/?token=${ticketOf(secret, new Date())}`);
      return { url, server: "joined" };
    };
    const joined = await join();
    if (joined !== undefined) return joined;
    const onBug = (error: unknown) => screen.say(`bug: ${messageOf(error)}`);
    const [, program] = process.argv;
    const options = {
      ...{ executor: { name: "host", options: {} }, copyInputs: false, cacheHostTasks: false },
      ...(program === undefined ? {} : { repeater: [process.execPath, program, runAgainWord] as const }),
    };
    const opened = await openOmics(options, onBug).catch(async (error: unknown) => {
      // Another one has started in this moment.
      const other = isAppError(error) && error.code === "SERVER_HOME_IN_USE" ? await join() : undefined;
      if (other === undefined) throw error;
      return other;
    });
    if ("server" in opened) return opened;
    try {
      const { createServer } = await import("../../mounts/index.ts");
      const server = createServer({
        ...opened,
        ...{ version: version(), site: siteFolder(), serves: "page", openAccount, region, onBug },
        now: () => new Date(),
      });
      const listening = await listen(server, { host: "127.0.0.1", port: given.count("port") ?? 0 });
      const url = `http://127.0.0.1:${listening.port}`;
      await opened.announcePage({ url, secret: server.secret, by: "ui" });
      await show(`${url}/${server.signInQuery()}`);
      await stopOfServer(ask.signal, given.text("for"));
      if (await page.wasTakenOver()) screen.say("memoir server serves this home now: open its page");
      await listening.close();
      await server.close();
      return { url, server: "started" };
    } finally {
      await opened.close();
    }
  },
  render: (result, screen) => {
    if (result.server === "started") screen.say(`stopped serving ${result.url}`);
  },
});
