/** `/v1`: stored predictions for other programs. Reads and writes rows; never computes one. */
import { sha256 } from "../hash/index.ts";
import {
  type AccessRules,
  type Answered,
  type Authenticator,
  admit,
  createAuthenticator,
  type HttpResponse,
  jsonResponse,
  type Mount,
  matchRoute,
  type NumberedRequest,
  parseQuery,
  parseTarget,
  problemOf,
  problemResponse,
} from "../http/index.ts";
import { type Ask, checkAsk, defined, Semaphore } from "../kernel/index.ts";
import { JobController } from "./job-controller.ts";
import { JobFolder } from "./job-folder.ts";
import type { JobName, JobRecord, JobStore } from "./job-store.ts";
import { answerLegacy, legacyPrefix } from "./legacy.ts";
import { filePart } from "./multipart.ts";
import { type JobFileLink, type JobsRequest, prefix } from "./request.ts";
import { routes } from "./routes.ts";
import { type Access, accessOf, type Served } from "./served.ts";
import { type FileLink, SignedLinks } from "./signed-links.ts";
import { formBytes, type UploadForm, type UploadLink } from "./uploads.ts";

export interface JobsParts extends Omit<AccessRules, "services" | "tokens"> {
  readonly served: Served;
  /** Who is asking, where something else has checked it already. Default: by the keys. */
  readonly authenticator?: Authenticator;
  /** Default: the folder of what is served. */
  readonly jobs?: JobStore;
  /** Links to result files. Default: signed by this process, which answers them itself. */
  readonly linkOf?: (link: FileLink) => Promise<JobFileLink>;
  /** Forms that take uploads. Default: signed by this process, which takes them itself. */
  readonly formOf?: (upload: UploadLink) => Promise<UploadForm>;
  readonly handOver?: (job: JobName) => Promise<void>;
  /** What a job can write in its time, as text. Default: any number. */
  readonly mostJobBytes?: number;
  /** Called with what should not happen. */
  readonly onBug?: (error: unknown) => void;
}

export interface Jobs extends Mount {
  /** Continues the jobs that a stopped server left behind. */
  resume(): Promise<void>;
  /** Runs a job that was handed over, in the process that it was handed to. */
  work(job: JobName, ask: Ask): Promise<JobRecord | undefined>;
  /** Jobs under way continue with the next server. */
  close(): Promise<void>;
}

const mostBodyBytes = 16 << 20;
/** Of a request that names no known key: enough for a refusal. */
const mostUnknownBytes = 64 << 10;
const heavyAtOnce = 4;
const uploadPattern = /^\/v1\/uploads\/(\d{12})\/([0-9a-f]{64})$/;
const linkPattern =
  /^\/v1\/files\/(\d{12})\/([0-9a-f]{32})\/(part-\d{5}\.(?:(?:jsonl|once\.csv|twice\.csv)\.gz|first\.csv))$/;

export function createJobs(parts: JobsParts): Jobs {
  const { served, now, onBug } = parts;
  const authenticator =
    parts.authenticator ??
    createAuthenticator({ ...parts, services: ["omics", "execute-api"], tokens: "accepted" });
  const controller = new JobController({
    ...{ store: parts.jobs ?? new JobFolder(served.jobsFolder), tier: served.tier, now },
    ...defined({ onBug, handOver: parts.handOver, mostJobBytes: parts.mostJobBytes }),
  });
  const links = new SignedLinks(now);
  const linkOf =
    parts.linkOf ??
    (async (link: FileLink) => {
      const { path: url, expiresAt } = links.pathOf(prefix, link);
      return { url, expiresAt };
    });
  const formOf =
    parts.formOf ??
    (async (upload: UploadLink) => {
      const { path: url, expiresAt } = links.uploadPathOf(prefix, upload);
      return { url, fields: {}, expiresAt };
    });
  const heavy = new Semaphore(heavyAtOnce);
  return {
    name: "jobs",
    prefix,
    busy: problemResponse({ status: 429, code: "SERVER_BUSY", detail: "too many requests; try again later" }),
    mostBodyBytes: ({ target, headers }) => {
      const upload = uploadLinkOf(target);
      if (upload?.isValid === true) return upload.sizeBytes + formBytes;
      return authenticator.namesKey(headers["authorization"]) ? mostBodyBytes : mostUnknownBytes;
    },
    fetch: (request, ask) =>
      fileOf(request) ?? uploadOf(request) ?? legacyOf(request, ask) ?? answer(request, ask),
    resume: () => controller.resume(),
    work: (job, ask) => controller.work(job, ask),
    close: () => controller.close(),
  };

  /** A link is its own proof of who may read the file. undefined = no link was asked for. */
  function fileOf(request: NumberedRequest): Promise<Answered> | undefined {
    const target = parseTarget(request.target);
    const [, account, id, name] = linkPattern.exec(target?.rawPath ?? "") ?? [];
    if (account === undefined || id === undefined || name === undefined) return undefined;
    const query = parseQuery(target?.rawQuery ?? "");
    const [expires = "", signature = ""] = ["expires", "signature"].map(
      (each) => query?.get(each)?.[0] ?? "",
    );
    const refused = (status: number, code: string, detail: string): Answered => ({
      ...{ response: problemResponse({ status, code, detail }), operation: "getFile" },
    });
    return (async () => {
      if (request.method !== "GET" && request.method !== "HEAD")
        return refused(405, "METHOD_NOT_ALLOWED", "a file can only be read");
      if (!links.isValid({ account, id, name }, expires, signature))
        return refused(403, "LINK_NOT_VALID", "this link is not valid, or its time is over");
      const file = await controller.file({ account, id }, name);
      if (file === undefined) return refused(404, "JOB_NOT_FOUND", "the job and its files were removed");
      const type = name.endsWith(".csv") ? "text/csv" : "application/gzip";
      const headers = { "content-type": type, ...answerHeaders };
      return { response: { status: 200, headers, body: file }, operation: "getFile", account };
    })();
  }

  function uploadLinkOf(target: string): (UploadLink & { readonly isValid: boolean }) | undefined {
    const parsed = parseTarget(target);
    const [, account, digest] = uploadPattern.exec(parsed?.rawPath ?? "") ?? [];
    if (account === undefined || digest === undefined) return undefined;
    const query = parseQuery(parsed?.rawQuery ?? "");
    const one = (name: string) => query?.get(name)?.[0] ?? "";
    const upload = { account, sha256: digest, sizeBytes: Number(one("size")) };
    const isValid =
      parts.formOf === undefined && links.isValidUpload(upload, one("expires"), one("signature"));
    return { ...upload, isValid };
  }

  /** A form is its own proof of who may upload. undefined = none was sent. */
  function uploadOf(request: NumberedRequest): Promise<Answered> | undefined {
    const upload = uploadLinkOf(request.target);
    if (upload === undefined) return undefined;
    const answered = (response: HttpResponse, account?: string): Answered => ({
      ...{ response, operation: "putUpload" },
      ...defined({ account }),
    });
    const refused = (status: number, code: string, detail: string) =>
      answered(problemResponse({ status, code, detail }));
    return (async () => {
      if (request.method !== "POST") return refused(405, "METHOD_NOT_ALLOWED", "a form is sent by POST");
      if (!upload.isValid)
        return refused(403, "LINK_NOT_VALID", "this form is not valid, or its time is over");
      if (request.largerThanBytes !== undefined)
        return refused(413, "REQUEST_TOO_LARGE", `the upload was announced with ${upload.sizeBytes} bytes`);
      const file = filePart(request.headers["content-type"] ?? "", request.body)?.file;
      if (file === undefined) return refused(400, "REQUEST_INVALID", "the body is not a form with a file");
      if (file.length !== upload.sizeBytes || sha256(file) !== upload.sha256)
        return refused(400, "REQUEST_INVALID", "the file is not the one that was announced");
      await controller.writeUpload(upload, file);
      return answered({ status: 204, headers: answerHeaders, body: "" }, upload.account);
    })();
  }

  /** Clients of these routes say nobody's name: they are answered where nobody has to. */
  function legacyOf(request: NumberedRequest, ask: Ask): Promise<Answered> | undefined {
    const target = parseTarget(request.target);
    if (authenticator.checksCallers || target?.rawPath.startsWith(`${legacyPrefix}/`) !== true)
      return undefined;
    const asking = authenticator.callerOf(request, target);
    if (asking.kind !== "known") return undefined;
    const { caller } = asking;
    return answerLegacy(request, target, {
      ...{ served, controller, links, caller, ask },
      ...defined({ onBug }),
    });
  }

  async function answer(request: NumberedRequest, ask: Ask): Promise<Answered> {
    const admitted = admit(request, authenticator);
    if (admitted.kind === "refused") return { response: admitted.response };
    const { caller, target } = admitted;
    const access = accessOf(caller);
    const answered = (response: HttpResponse, operation?: string): Answered => ({
      ...{ response: withAccess(response, access), operation, account: caller.account },
    });
    const found = matchRoute(routes, request.method, target.rawPath);
    if (found.kind === "unknown")
      return answered(
        problemResponse({ status: 404, code: "ROUTE_NOT_FOUND", detail: "there is nothing at this path" }),
      );
    if (found.kind === "other-method") {
      const allow = found.methods.join(", ");
      const detail = `this path answers ${allow} only`;
      return answered(problemResponse({ status: 405, code: "METHOD_NOT_ALLOWED", detail }, { allow }));
    }
    const { route, labels } = found;
    const asked: JobsRequest = {
      ...{ served, controller, linkOf, formOf, caller, ask, body: request.body },
      label: (name) => labels[name] ?? "",
    };
    try {
      const work = () => {
        checkAsk(ask, "answering a request");
        return route.answer(asked);
      };
      const data = await (route.isHeavy === true ? heavy.use(work) : work());
      return answered(jsonResponse(200, data, answerHeaders), route.name);
    } catch (error) {
      const problem = problemOf(error, caller.isOperator);
      if (problem.code === "BUG") onBug?.(error);
      return answered(problemResponse(problem), route.name);
    }
  }
}

/** Refusals, too, say for whom they were made. */
function withAccess(response: HttpResponse, access: Access): HttpResponse {
  const { body } = response;
  if (typeof body !== "string" || !body.startsWith("{")) return response;
  const members = body === "{}" ? "}" : `,${body.slice(1)}`;
  return { ...response, body: `{"access":${JSON.stringify(access)}${members}` };
}

const answerHeaders = { "cache-control": "no-store", "x-content-type-options": "nosniff" };
