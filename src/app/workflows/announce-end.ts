/** Posts the end of a run to a URL. */
import type { RunSummary } from "../../engine/index.ts";
import { isSuccess, readHttp } from "../../http-client/index.ts";
import { AppError, type Ask, defined, freshAsk, isAppError, messageOf, redact } from "../../kernel/index.ts";

/** Throws CLI_USAGE for what cannot be the URL of a web server. */
export function checkNotifyUrl(url: string | undefined): void {
  if (url !== undefined && !(/^https?:\/\//.test(url) && URL.canParse(url)))
    throw new AppError(
      "CLI_USAGE",
      `--notify ${redact(url)}: expected a URL that begins with http:// or https://`,
    );
}

/** What is posted when a run ends. */
export interface RunEnd {
  readonly run?: string;
  /** The workflow, or the model. */
  readonly workflow?: string;
  readonly model?: string;
  readonly release?: string;
  readonly state: "succeeded" | "failed" | "cancelled";
  readonly calls?: RunSummary["calls"];
  readonly rows?: object;
  readonly savedSeconds?: number;
  readonly directory?: string;
  readonly output?: string;
  /** Why it failed, where it has no calls that say so. */
  readonly message?: string;
}

/** A receiver that cannot be reached is mentioned, and changes nothing about the run. */
export async function announceEnd(
  url: string | undefined,
  { end, startedAt }: { readonly end: RunEnd; readonly startedAt: Date },
  say: (words: string) => void,
  ask: Ask,
): Promise<void> {
  if (url === undefined) return;
  const { run, workflow, state, ...rest } = end;
  const [started, ended] = [startedAt.toISOString(), new Date().toISOString()];
  const event = {
    ...{ kind: "run.ended", ...defined({ run, workflow }), state, startedAt: started, endedAt: ended },
    ...rest,
  };
  await post(url, event, say, ask);
}

/** The end of work that threw: a run that was interrupted, or that Memoir could not finish. */
export function endOf(error: unknown): Pick<RunEnd, "state" | "message"> {
  return isAppError(error, "RUN_INTERRUPTED")
    ? { state: "cancelled" }
    : { state: "failed", message: redact(messageOf(error)) };
}

/** Work of which only the end is known here. `endFor`: undefined = it has not finished, and is continued later. */
export async function announced<T>(
  url: string | undefined,
  run: {
    readonly model: string;
    readonly endFor: (result: T) => RunEnd | undefined;
    readonly say: (words: string) => void;
  },
  work: () => Promise<T>,
): Promise<T> {
  checkNotifyUrl(url);
  const startedAt = new Date();
  const { model, endFor, say } = run;
  const result = await work().catch(async (error) => {
    // What was asked for wrongly never began.
    if (!isAppError(error, "CLI_USAGE"))
      await announceEnd(url, { end: { model, ...endOf(error) }, startedAt }, say, freshAsk());
    throw error;
  });
  const end = endFor(result);
  if (end !== undefined) await announceEnd(url, { end, startedAt }, say, freshAsk());
  return result;
}

const postMs = 10_000;
/** The connection broke, or the receiver is busy. The event is the same, so a receiver can drop what it has had. */
const tries = 3;

/** Redirects are not followed: the URL is where the user wants it to go, and nowhere else. */
export async function post(
  url: string,
  event: object,
  say: (words: string) => void,
  ask: Ask,
): Promise<void> {
  const address = new URL(url);
  // Paths and queries of webhooks are secrets.
  const shown = address.host;
  const { username, password } = address;
  address.username = "";
  address.password = "";
  const account = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  const authorization = username === "" ? undefined : `Basic ${Buffer.from(account).toString("base64")}`;
  try {
    const request = {
      ...({ method: "POST", url: address.href } as const),
      headers: { "content-type": "application/json", ...defined({ authorization }) },
      ...{ body: JSON.stringify(event), limitBytes: 1024 * 1024, timeoutMs: postMs, tries },
    };
    // A run that was cancelled has ended, too.
    const answer = await readHttp(request, ask.signal.aborted ? freshAsk() : ask);
    if (!isSuccess(answer)) say(`the end of the run was posted to ${shown}, which answered ${answer.status}`);
  } catch (error) {
    const words = messageOf(error).replaceAll(address.href, shown).replaceAll(url, shown);
    say(`the end of the run could not be posted to ${shown}: ${words}`);
  }
}
