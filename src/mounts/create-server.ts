/** The server: which mount answers which prefix. */
import type { Browse, StoreCheck, Tallies } from "../app/index.ts";
import { createRouter, type HttpHandler, type RequestLine } from "../http/index.ts";
import { createJobs, type JobsParts } from "../jobs/index.ts";
import type { Ask } from "../kernel/index.ts";
import { createOmics, type ServerParts } from "../omics/index.ts";
import { createV1 } from "../v1/index.ts";
import { Metrics } from "./metrics.ts";
import { healthMount, metricsMount, readyMount } from "./status.ts";

export interface ServerDeps extends ServerParts {
  /** Called with every request that was answered; never with bodies or credentials. */
  readonly onRequest?: (line: RequestLine) => void;
  /** Of Memoir. */
  readonly version: string;
  readonly browse: Browse;
  readonly served: JobsParts["served"];
  tallies(): Tallies;
  checkStores(ask: Ask): Promise<readonly StoreCheck[]>;
}

export interface Server extends HttpHandler {
  /** Continues with what a stopped server left half submitted. */
  resume(): void;
  close(): Promise<void>;
}

export function createServer(deps: ServerDeps): Server {
  const omics = createOmics(deps);
  const jobs = createJobs(deps);
  const metrics = new Metrics(deps.ledger, () => deps.tallies());
  const status = { ...deps, metrics };
  const router = createRouter(
    [omics, createV1(deps), jobs, healthMount(), readyMount(status), metricsMount(status)],
    (line) => {
      metrics.count(line);
      deps.onRequest?.(line);
    },
  );
  return {
    ...router,
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
