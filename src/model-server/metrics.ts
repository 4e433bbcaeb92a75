/** What `/metrics` shows of a model server: predictions by outcome, requests, the model, and the process. */
import { type MetricFamily, prometheusText } from "../http/index.ts";
import type { RunCounts } from "../predict/index.ts";
import type { BreakerState } from "./failure-breaker.ts";

export interface ServerState {
  readonly model: string;
  readonly release: string;
  readonly counts: RunCounts;
  readonly underWay: number;
  readonly breaker: BreakerState;
}

export class ModelMetrics {
  readonly #answers = new Map<
    string,
    { readonly operation: string; readonly status: number; count: number }
  >();
  readonly #durations = new Map<string, { count: number; seconds: number }>();

  /** Names of operations are fixed: what a client writes into a path never becomes a label. */
  count({ operation, status, durationMs }: { operation: string; status: number; durationMs: number }): void {
    const key = `${operation} ${status}`;
    const answers = this.#answers.get(key) ?? { operation, status, count: 0 };
    answers.count++;
    this.#answers.set(key, answers);
    const durations = this.#durations.get(operation) ?? { count: 0, seconds: 0 };
    durations.count++;
    durations.seconds += durationMs / 1000;
    this.#durations.set(operation, durations);
  }

  text(state: ServerState): string {
    const { model, release, counts, underWay, breaker } = state;
    const of = { model, release };
    const outcomes = {
      reused_local: counts.reusedLocal,
      reused_cloud: counts.reusedCloud,
      computed: counts.computed,
      failed: counts.failed,
      missing: counts.missing,
    };
    const gauge = (name: string, help: string, value: number, labels = {}): MetricFamily => ({
      ...{ name, help, type: "gauge" },
      samples: [{ value, labels }],
    });
    const { user, system } = process.cpuUsage();
    return prometheusText([
      {
        ...{ name: "memoir_model_predictions_total", type: "counter" },
        help: "Predictions answered since the start, by how they were answered.",
        samples: Object.entries(outcomes).map(([outcome, value]) => ({ labels: { ...of, outcome }, value })),
      },
      gauge(
        "memoir_model_inputs_under_way",
        "Inputs that wait for the model or are being computed.",
        underWay,
        of,
      ),
      gauge(
        "memoir_model_breaker_open",
        "1 while the model is not asked because it failed too often.",
        breaker.state === "open" ? 1 : 0,
        of,
      ),
      {
        ...{ name: "memoir_http_requests_total", type: "counter" },
        help: "Requests answered, by operation and status.",
        samples: [...this.#answers.values()].map(({ operation, status, count }) => ({
          ...{ labels: { api: "model", operation, status: String(status) }, value: count },
        })),
      },
      {
        ...{ name: "memoir_http_request_duration_seconds", type: "summary" },
        help: "Time from a whole request to its answer, by operation.",
        samples: [...this.#durations].flatMap(([operation, { count, seconds }]) => [
          { suffix: "_sum" as const, labels: { api: "model", operation }, value: seconds },
          { suffix: "_count" as const, labels: { api: "model", operation }, value: count },
        ]),
      },
      gauge("process_resident_memory_bytes", "Resident memory size in bytes.", process.memoryUsage().rss),
      {
        ...{ name: "process_cpu_seconds_total", type: "counter" },
        help: "User and system CPU time in seconds.",
        samples: [{ value: (user + system) / 1e6 }],
      },
      gauge(
        "process_start_time_seconds",
        "Start of the process in seconds since 1970.",
        Math.round(Date.now() / 1000 - process.uptime()),
      ),
    ]);
  }
}
