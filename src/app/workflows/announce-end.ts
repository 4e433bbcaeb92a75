/** Posts the end of a run to a URL. */
import type { RunSummary } from "../../engine/index.ts";
import { isSuccess, readHttp } from "../../http-client/index.ts";
import { AppError, type Ask, freshAsk, messageOf } from "../../kernel/index.ts";

/** Throws CLI_USAGE for what cannot be the URL of a web server. */
export function checkNotifyUrl(url: string | undefined): void {
  if (url !== undefined && !(/^https?:\/\//.test(url) && URL.canParse(url)))
    throw new AppError("CLI_USAGE", `--notify ${url}: expected a URL that begins with http:// or https://`);
}

/** A receiver that cannot be reached is mentioned, and changes nothing about the run. */
export async function announceEnd(
  url: string | undefined,
  { summary, startedAt }: { readonly summary: RunSummary; readonly startedAt: Date },
  say: (words: string) => void,
  ask: Ask,
): Promise<void> {
  if (url === undefined) return;
  const { run, state, calls, savedSeconds, directory } = summary;
  const [started, ended] = [startedAt.toISOString(), new Date().toISOString()];
  const event = {
    ...{ kind: "run.ended", run, state, startedAt: started, endedAt: ended },
    ...{ calls, savedSeconds, directory },
  };
  await post(url, event, say, ask);
}

const postMs = 30_000;

export async function post(
  url: string,
  event: object,
  say: (words: string) => void,
  ask: Ask,
): Promise<void> {
  try {
    const request = {
      ...({ method: "POST", url, headers: { "content-type": "application/json" } } as const),
      ...{ body: JSON.stringify(event), limitBytes: 1024 * 1024, timeoutMs: postMs },
    };
    // A run that was cancelled has ended, too.
    const answer = await readHttp(request, ask.signal.aborted ? freshAsk() : ask);
    if (!isSuccess(answer)) say(`the end of the run was posted to ${url}, which answered ${answer.status}`);
  } catch (error) {
    say(`the end of the run could not be posted to ${url}: ${messageOf(error)}`);
  }
}
