/** The form for inputs that do not fit into a request. */
import { RequestProblem } from "../http/index.ts";
import { integerOf, readBody, textOf } from "./body.ts";
import type { JobsRequest } from "./request.ts";
import { invalid, requireUse } from "./served.ts";
import { digestPattern, mostUploadBytes } from "./uploads.ts";

export async function createUpload({ caller, body: bytes, formOf }: JobsRequest): Promise<unknown> {
  requireUse(caller, "read");
  const body = readBody(bytes, ["sha256", "sizeBytes"]);
  const digest = textOf(body, "sha256", digestPattern);
  const sizeBytes = integerOf(body, "sizeBytes", mostUploadBytes);
  if (sizeBytes === 0) throw invalid("an upload has at least one byte");
  const { account } = caller;
  return { account, upload: digest, sizeBytes, ...(await formOf({ account, sha256: digest, sizeBytes })) };
}

/** @throws RequestProblem where nothing of this name was uploaded. */
export function uploadMissing(): RequestProblem {
  return new RequestProblem({
    ...{ status: 409, code: "UPLOAD_NOT_FOUND" },
    detail: "nothing with this SHA-256 was uploaded by this account within a day",
    hint: "POST /v1/uploads answers with a form; send the file with it, then submit the job.",
  });
}
