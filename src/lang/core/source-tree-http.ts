/** Documents that are imported over http(s). */
import { AppError, type Ask, checkAsk, messageOf, type SourceText, withTimeout } from "../../kernel/index.ts";

export function isHttpUri(uri: string): boolean {
  return /^https?:\/\//i.test(uri);
}

const timeoutMs = 30_000;

/**
 * Fetches one document; undefined = the server says it is not there.
 * @throws AppError WORKFLOW_DOCUMENT_UNREACHABLE for everything else that goes wrong, WORKFLOW_DOCUMENT_REFUSED when
 * it is larger than `largest` bytes.
 */
export async function readHttpDocument(
  uri: string,
  largest: number,
  ask: Ask,
): Promise<SourceText | undefined> {
  const timed = withTimeout(ask, timeoutMs);
  try {
    const response = await fetch(uri, { signal: timed.ask.signal, redirect: "follow" });
    if (response.status === 404 || response.status === 410) return undefined;
    if (!response.ok)
      throw new AppError(
        "WORKFLOW_DOCUMENT_UNREACHABLE",
        `fetching ${uri}: the server answered ${response.status} ${response.statusText}`,
      );
    return { name: uri, text: await readBounded(response, uri, largest) };
  } catch (error) {
    checkAsk(ask, `fetching ${uri}`);
    if (error instanceof AppError) throw error;
    const why =
      error instanceof Error && error.cause !== undefined ? messageOf(error.cause) : messageOf(error);
    throw new AppError("WORKFLOW_DOCUMENT_UNREACHABLE", `fetching ${uri}: ${why}`, { cause: error });
  } finally {
    timed.done();
  }
}

async function readBounded(response: Response, uri: string, largest: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > largest)
      throw new AppError("WORKFLOW_DOCUMENT_REFUSED", `fetching ${uri}: it is larger than ${largest} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
