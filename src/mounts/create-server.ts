/** The server: which mount answers which prefix. */
import type { Browse, StoreCheck, Tallies } from "../app/index.ts";
import {
  type Caller,
  createRouter,
  type HttpHandler,
  type Mount,
  type RequestLine,
  Sessions,
  ticketOf,
} from "../http/index.ts";
import { createJobs, type JobsParts } from "../jobs/index.ts";
import type { Ask } from "../kernel/index.ts";
import { createOmics, type ServerParts } from "../omics/index.ts";
import { createV1 } from "../v1/index.ts";
import { createWebMounts } from "../web-mount/index.ts";
import { Metrics } from "./metrics.ts";
import { healthMount, metricsMount, readyMount } from "./status.ts";

export interface ServerDeps extends ServerParts {
  /** Called with every request that was answered; never with bodies or credentials. */
  readonly onRequest?: (line: RequestLine) => void;
  /** Of Memoir. */
  readonly version: string;
  readonly browse: Browse;
  readonly served: JobsParts["served"];
  /** Folder of the built web page. */
  readonly site: string;
  /** `page`: only the web page and `/api/v1`, and both only in a session. Default: everything. */
  readonly serves?: "page" | "everything";
  tallies(): Tallies;
  checkStores(ask: Ask): Promise<readonly StoreCheck[]>;
}

export interface Server extends HttpHandler {
  /** Continues with what a stopped server left half submitted. */
  resume(): void;
  /** What `ticketOf` needs: links to the page that sign in. */
  readonly secret: string;
  /** What a link to the page says after its address, to sign in once. Empty with access keys: people sign in there. */
  signInQuery(): string;
  close(): Promise<void>;
}

export function createServer(deps: ServerDeps): Server {
  const omics = createOmics(deps);
  const jobs = createJobs(deps);
  const metrics = new Metrics(deps.ledger, () => deps.tallies());
  const sessions = new Sessions<Caller>(deps.now);
  const isPage = deps.serves === "page";
  const status = { ...deps, metrics, sessions, needsSession: isPage };
  const web = createWebMounts({ ...deps, sessions }, isPage ? "everything" : "pages");
  const v1 = createV1(status);
  const common = [v1, healthMount(), readyMount(status), metricsMount(status), ...web];
  const mounts: readonly [Mount, ...Mount[]] = isPage ? [v1, ...common.slice(1)] : [omics, jobs, ...common];
  const router = createRouter(mounts, (line) => {
    metrics.count(line);
    deps.onRequest?.(line);
  });
  return {
    ...router,
    secret: sessions.secret,
    signInQuery: () => (deps.keys.length > 0 ? "" : `?token=${ticketOf(sessions.secret, deps.now())}`),
    resume: () => {
      omics.resume();
      void jobs.resume().catch((error: unknown) => deps.onBug?.(error));
    },
    close: async () => {
      metrics.close();
      await jobs.close();
    },
  };
}
