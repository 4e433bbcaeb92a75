/** What `/metrics` shows: the runs of the ledger, the outcomes of calls, requests, and the process itself. */
import { readdirSync } from "node:fs";
import { type IntervalHistogram, monitorEventLoopDelay } from "node:perf_hooks";
import type { Tallies } from "../app/index.ts";
import type { RequestLine } from "../http/index.ts";
import { type MetricFamily, prometheusText } from "../http/index.ts";
import type { Ledger, RunStatus } from "../ledger/index.ts";

const statuses: readonly RunStatus[] = [
  "PENDING",
  "STARTING",
  "RUNNING",
  "STOPPING",
  "COMPLETED",
  "CANCELLED",
  "FAILED",
];

interface Answers {
  readonly labels: Readonly<Record<string, string>>;
  count: number;
}

interface Durations {
  readonly labels: Readonly<Record<string, string>>;
  count: number;
  seconds: number;
}

export class Metrics {
  readonly #ledger: Pick<Ledger, "runs">;
  readonly #tallies: () => Tallies;
  readonly #answers = new Map<string, Answers>();
  readonly #durations = new Map<string, Durations>();
  readonly #loop: IntervalHistogram = monitorEventLoopDelay({ resolution: 10 });

  constructor(ledger: Pick<Ledger, "runs">, tallies: () => Tallies) {
    this.#ledger = ledger;
    this.#tallies = tallies;
    this.#loop.enable();
  }

  /** Names of operations are fixed: what a client writes into a path never becomes a label. */
  count({ mount, operation = "unknown", status, durationMs }: RequestLine): void {
    const labels = { api: mount, operation };
    const place = `${mount} ${operation}`;
    const answers = this.#answers.get(`${place} ${status}`);
    if (answers === undefined)
      this.#answers.set(`${place} ${status}`, { labels: { ...labels, status: String(status) }, count: 1 });
    else answers.count++;
    const durations = this.#durations.get(place) ?? { labels, count: 0, seconds: 0 };
    durations.count++;
    durations.seconds += durationMs / 1000;
    this.#durations.set(place, durations);
  }

  text(): string {
    return prometheusText([...this.#ofRuns(), ...this.#ofRequests(), ...this.#ofProcess()]);
  }

  close(): void {
    this.#loop.disable();
  }

  #ofRuns(): readonly MetricFamily[] {
    const { tasks, lookups, recorded } = this.#tallies();
    const samples = (label: string, values: Readonly<Record<string, number>>) =>
      Object.entries(values).map(([name, value]) => ({ labels: { [label]: name }, value }));
    const lookedUp = Object.values(lookups).reduce((sum, value) => sum + value, 0);
    return [
      {
        ...{ name: "memoir_runs", type: "gauge", help: "Workflow runs in the ledger by state." },
        samples: statuses.map((status) => ({
          labels: { state: status.toLowerCase() },
          value: this.#ledger.runs.count(undefined, { status }),
        })),
      },
      {
        ...{ name: "memoir_tasks_total", type: "counter" },
        help: "Task calls that ended since the server started, by outcome.",
        samples: samples("outcome", tasks),
      },
      {
        ...{ name: "memoir_cache_lookups_total", type: "counter" },
        help: "Calls that were looked up in a run cache since the server started.",
        samples: [{ value: lookedUp }],
      },
      {
        ...{ name: "memoir_cache_lookup_results_total", type: "counter" },
        help: "Results of look-ups in run caches: hit, miss, or trouble with the cache.",
        samples: samples("result", lookups),
      },
      {
        ...{ name: "memoir_cache_recorded_entries_total", type: "counter" },
        help: "Entries recorded in run caches since the server started.",
        samples: [{ value: recorded }],
      },
    ];
  }

  #ofRequests(): readonly MetricFamily[] {
    return [
      {
        ...{ name: "memoir_http_requests_total", type: "counter" },
        help: "Requests answered, by API, operation and status.",
        samples: [...this.#answers.values()].map(({ labels, count }) => ({ labels, value: count })),
      },
      {
        ...{ name: "memoir_http_request_duration_seconds", type: "summary" },
        help: "Time from a whole request to its answer, by API and operation; of streams, to their beginning.",
        samples: [...this.#durations.values()].flatMap(({ labels, count, seconds }) => [
          { suffix: "_sum" as const, labels, value: seconds },
          { suffix: "_count" as const, labels, value: count },
        ]),
      },
    ];
  }

  /** The names that other programs use for the same things. */
  #ofProcess(): readonly MetricFamily[] {
    const gauge = (name: string, help: string, value: number): MetricFamily => ({
      ...{ name, help, type: "gauge" },
      samples: [{ value }],
    });
    const { rss, heapUsed, heapTotal, external } = process.memoryUsage();
    const { user, system } = process.cpuUsage();
    // Delays are measured as intervals of a timer, in nanoseconds; before the first there is none.
    const lag = (nanoseconds: number) => (this.#loop.count === 0 ? 0 : nanoseconds / 1e9);
    const openFiles = countOpenFiles();
    return [
      gauge("memoir_event_loop_lag_mean_seconds", "Mean delay of the event loop.", lag(this.#loop.mean)),
      gauge(
        "memoir_event_loop_lag_p99_seconds",
        "99th percentile of the delay of the event loop.",
        lag(this.#loop.percentile(99)),
      ),
      gauge("memoir_event_loop_lag_max_seconds", "Longest delay of the event loop.", lag(this.#loop.max)),
      gauge("process_resident_memory_bytes", "Resident memory size in bytes.", rss),
      gauge("nodejs_heap_size_used_bytes", "Used JavaScript heap in bytes.", heapUsed),
      gauge("nodejs_heap_size_total_bytes", "Allocated JavaScript heap in bytes.", heapTotal),
      gauge("nodejs_external_memory_bytes", "Memory outside the JavaScript heap in bytes.", external),
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
      ...(openFiles === undefined ? [] : [gauge("process_open_fds", "Open file descriptors.", openFiles)]),
    ];
  }
}

/** undefined where the system does not report it. */
function countOpenFiles(): number | undefined {
  try {
    return readdirSync("/proc/self/fd").length;
  } catch {
    return undefined;
  }
}
