/** Documents that are imported over http(s). */
import { isHttpTrouble, isSuccess, readHttp } from "../../http-client/index.ts";
import { AppError, type Ask, type SourceText } from "../../kernel/index.ts";
import { documentText } from "./document-text.ts";

export function isHttpUri(uri: string): boolean {
  return /^https?:\/\//i.test(uri);
}

const options = { redirects: 20, tries: 3, timeoutMs: 30_000 } as const;

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
  const answer = await readHttp({ ...options, url: uri, limitBytes: largest }, ask).catch(
    (error: unknown) => {
      if (!isHttpTrouble(error)) throw error;
      if (error.kind === "too-long")
        throw new AppError(
          "WORKFLOW_DOCUMENT_REFUSED",
          `fetching ${uri}: it is larger than ${largest} bytes`,
        );
      throw new AppError("WORKFLOW_DOCUMENT_UNREACHABLE", `fetching ${uri}: ${error.message}`, {
        cause: error,
      });
    },
  );
  if (answer.status === 404 || answer.status === 410) return undefined;
  if (!isSuccess(answer))
    throw new AppError(
      "WORKFLOW_DOCUMENT_UNREACHABLE",
      `fetching ${uri}: the server answered ${answer.status}`,
    );
  return { name: uri, text: documentText(answer.bytes, uri) };
}
