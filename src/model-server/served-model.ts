/** The model that a server serves, and what it knows of itself. */
import { randomUUID } from "node:crypto";
import { cpus, freemem, totalmem } from "node:os";
import type { ModelServerParts } from "../app/index.ts";
import { type Card, cardOf } from "./card.ts";
import { FailureBreaker } from "./failure-breaker.ts";
import { ModelMetrics } from "./metrics.ts";
import { type OutputType, outputTypeOf } from "./orient.ts";
import { Predicting, type PredictingOptions } from "./predicting.ts";
import { ServerJobs } from "./server-jobs.ts";

export interface ServedModelOptions extends PredictingOptions {
  readonly parts: ModelServerParts;
  readonly openAccount: string;
  readonly now: () => Date;
  readonly onBug: (error: unknown) => void;
}

export class ServedModel {
  readonly parts: ModelServerParts;
  readonly card: Card;
  readonly outputType: OutputType;
  readonly predicting: Predicting;
  readonly jobs: ServerJobs;
  readonly metrics = new ModelMetrics();
  readonly id = randomUUID();
  readonly startedAt: Date;
  #load: { readonly busy: number; readonly total: number } | undefined;

  constructor(options: ServedModelOptions) {
    const { parts, now } = options;
    this.parts = parts;
    this.startedAt = now();
    this.card = cardOf(parts.model);
    this.outputType = outputTypeOf(this.card["Output Type"]);
    this.predicting = new Predicting(parts, options, new FailureBreaker(now));
    const { openAccount: account } = options;
    this.jobs = new ServerJobs({
      ...options,
      ...{ predicting: this.predicting, outputType: this.outputType },
      caller: { account, accessKeyId: "jobs", region: "", isOperator: true },
    });
  }

  get hasAnswered(): boolean {
    return this.predicting.hasAnswered;
  }

  health(): unknown {
    const system = { cpu: this.#busyPercent(), memory: percent(1 - freemem() / totalmem()) };
    return { breaker: this.predicting.breaker.state, system };
  }

  metricsText(): string {
    const { model, service } = this.parts;
    return this.metrics.text({
      ...{ model: model.id, release: model.release, counts: service.counts, underWay: service.underWay },
      breaker: this.predicting.breaker.state,
    });
  }

  /** Of all processors since the last time this was asked. */
  #busyPercent(): number {
    let total = 0;
    let idle = 0;
    for (const { times } of cpus()) {
      total += times.user + times.nice + times.sys + times.irq + times.idle;
      idle += times.idle;
    }
    const before = this.#load ?? { busy: 0, total: 0 };
    this.#load = { busy: total - idle, total };
    const passed = total - before.total;
    return passed === 0 ? 0 : percent((total - idle - before.busy) / passed);
  }
}

function percent(share: number): number {
  return Math.round(1000 * share) / 10;
}
