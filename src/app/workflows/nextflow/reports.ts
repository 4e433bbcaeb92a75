/** The execution report and the timeline: single HTML files without anything that is loaded from elsewhere. */
import { durationText, memoryText, preciseClockText } from "./quantities.ts";
import { shortHash, type TaskRecord } from "./task-record.ts";
import { traceField } from "./trace.ts";

export interface ReportFacts {
  readonly runName: string;
  readonly session: string;
  readonly script: string;
  readonly commandLine: string;
  readonly launchDir: string;
  readonly workDir: string;
  readonly profile: string;
  readonly version: string;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly succeeded: boolean;
  readonly errorReport?: string;
}

const columns =
  "task_id hash name status exit submit duration realtime %cpu peak_rss cpus memory container workdir".split(
    " ",
  );

export function reportHtml(facts: ReportFacts, tasks: readonly Readonly<TaskRecord>[]): string {
  const rows = tasks.map(
    (task) => `<tr>${columns.map((name) => cell(traceField(task, name))).join("")}</tr>`,
  );
  return page(`${facts.runName}: Nextflow workflow report`, [
    `<h1>Nextflow workflow report</h1>`,
    `<p class="${facts.succeeded ? "good" : "bad"}">[${escaped(facts.runName)}] Workflow execution ${
      facts.succeeded ? "completed successfully" : "completed with errors"
    }</p>`,
    ...(facts.errorReport === undefined ? [] : [`<pre>${escaped(facts.errorReport)}</pre>`]),
    definitions([
      ["Run times", `${preciseClockText(facts.startedAt)} - ${preciseClockText(facts.endedAt)}`],
      ["Duration", durationText(facts.endedAt - facts.startedAt)],
      ["Command", facts.commandLine],
      ["CPU time", durationText(tasks.reduce((sum, { cpuSeconds = 0 }) => sum + cpuSeconds * 1000, 0))],
      ["Launch directory", facts.launchDir],
      ["Work directory", facts.workDir],
      ["Script", facts.script],
      ["Profile", facts.profile],
      ["Session", facts.session],
      ["Version", facts.version],
    ]),
    "<h2>Resource usage</h2>",
    `<table><tr><th>process</th><th>tasks</th><th>cached</th><th>failed</th><th>realtime</th><th>longest</th><th>peak memory</th></tr>${processRows(tasks)}</table>`,
    "<h2>Tasks</h2>",
    `<table><tr>${columns.map((name) => `<th>${escaped(name)}</th>`).join("")}</tr>${rows.join("\n")}</table>`,
  ]);
}

function processRows(tasks: readonly Readonly<TaskRecord>[]): string {
  const names = [...new Set(tasks.map(({ process }) => process))];
  return names
    .map((name) => {
      const own = tasks.filter(({ process }) => process === name);
      const times = own.map(({ realtimeMs = 0 }) => realtimeMs);
      const peak = Math.max(0, ...own.map(({ peakRssBytes = 0 }) => peakRssBytes));
      const count = (status: string) => String(own.filter((task) => task.status === status).length);
      return `<tr>${[
        name,
        String(own.length),
        count("CACHED"),
        count("FAILED"),
        durationText(times.reduce((a, b) => a + b, 0)),
        durationText(Math.max(0, ...times)),
        peak === 0 ? "-" : memoryText(peak),
      ]
        .map(cell)
        .join("")}</tr>`;
    })
    .join("\n");
}

const barWidth = 800;

export function timelineHtml(facts: ReportFacts, tasks: readonly Readonly<TaskRecord>[]): string {
  const span = Math.max(1, facts.endedAt - facts.startedAt);
  const place = (ms: number) => Math.max(0, Math.min(barWidth, ((ms - facts.startedAt) / span) * barWidth));
  const rows = tasks.map((task) => {
    const from = place(task.submittedAt);
    const to = place(task.endedAt ?? facts.endedAt);
    const label = `${shortHash(task.hash)} ${traceField(task, "duration")}${task.peakRssBytes === undefined ? "" : ` / ${memoryText(task.peakRssBytes)}`}`;
    return `<tr><td>${escaped(task.name)}</td><td><svg width="${barWidth}" height="14"><rect x="${from.toFixed(1)}" y="2" width="${Math.max(2, to - from).toFixed(1)}" height="10" class="${task.status}"/></svg></td><td>${escaped(label)}</td></tr>`;
  });
  return page(`${facts.runName}: Nextflow processes execution timeline`, [
    "<h1>Processes execution timeline</h1>",
    `<p>Launch time: ${escaped(preciseClockText(facts.startedAt))}<br>Elapsed time: ${escaped(durationText(span))}</p>`,
    `<table>${rows.join("\n")}</table>`,
  ]);
}

function page(title: string, parts: readonly string[]): string {
  return `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>${escaped(title)}</title><style>
body{font-family:sans-serif;margin:2em;color:#222}table{border-collapse:collapse;font-size:13px}
td,th{border-bottom:1px solid #ddd;padding:3px 8px;text-align:left;white-space:nowrap}dt{font-weight:bold}dd{margin:0 0 .4em}
.good{background:#dff0d8;padding:.6em}.bad{background:#f2dede;padding:.6em}pre{background:#f7f7f7;padding:1em}
rect{fill:#5b9bd5}rect.CACHED{fill:#a9d18e}rect.FAILED,rect.ABORTED{fill:#e06666}
</style></head><body>
${parts.join("\n")}
</body></html>
`;
}

function definitions(pairs: readonly (readonly [string, string])[]): string {
  return `<dl>${pairs.map(([term, text]) => `<dt>${escaped(term)}</dt><dd>${escaped(text)}</dd>`).join("\n")}</dl>`;
}

function cell(text: string): string {
  return `<td>${escaped(text)}</td>`;
}

export function escaped(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
