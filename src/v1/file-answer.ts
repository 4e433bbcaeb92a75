/**
 * Bytes that a task wrote. Whatever they are, they never run with the page's rights: they are saved, or shown as an image,
 * or as HTML that has no origin, may load nothing, and runs scripts only in a frame, which cannot lead anywhere else.
 */
import { type HttpResponse, RequestProblem } from "../http/index.ts";
import { checkAsk } from "../kernel/index.ts";
import type { V1Request } from "./route.ts";

export async function fileAnswer(request: V1Request, how: "save" | "show"): Promise<HttpResponse> {
  const { browse, caller, labels, query, ask, headers } = request;
  const file = await browse.file(caller, labels["run"] ?? "", query.text("path") ?? "", ask);
  checkAsk(ask, "sending an output");
  const isShown = how === "show";
  if (isShown && file.kind !== "image" && file.kind !== "html")
    throw new RequestProblem({
      ...{ status: 400, code: "REQUEST_INVALID" },
      detail: "only images and HTML are shown as they are; `preview` and `file` answer everything else",
    });
  return {
    status: 200,
    headers: {
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      "cross-origin-resource-policy": "same-origin",
      "content-length": String(file.bytes),
      "content-type": isShown ? file.type : "application/octet-stream",
      "content-security-policy": policyOf(isShown && headers["sec-fetch-dest"] === "iframe"),
      "content-disposition": isShown ? "inline" : `attachment; filename*=UTF-8''${encoded(file.name)}`,
    },
    body: { chunks: file.chunks(ask) },
  };
}

/** What Memoir packs itself, to be saved. */
export function zipAnswer(name: string, chunks: AsyncIterable<Uint8Array>): HttpResponse {
  return {
    status: 200,
    headers: {
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      "content-type": "application/zip",
      "content-disposition": `attachment; filename*=UTF-8''${encoded(name)}`,
    },
    body: { chunks },
  };
}

function policyOf(isInFrame: boolean): string {
  const common =
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; form-action 'none'";
  return isInFrame
    ? `${common}; script-src 'unsafe-inline'; frame-ancestors 'self'; sandbox allow-scripts`
    : `${common}; frame-ancestors 'none'; sandbox`;
}

/** RFC 8187. */
function encoded(name: string): string {
  return encodeURIComponent(name).replace(
    /['()*]/g,
    (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
