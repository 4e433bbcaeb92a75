/** Trace, report, timeline and graph: which are asked for, and writing them. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { AppError, messageOf } from "../../../kernel/index.ts";
import { flagSetting, type ReadConfiguration, settingAt, textSetting } from "./configuration.ts";
import { dagText, needsGraphviz, type ProcessNode } from "./dag.ts";
import { stampText } from "./quantities.ts";
import { type ReportFacts, reportHtml, timelineHtml } from "./reports.ts";
import type { NextflowRunOptions, ReportOption } from "./run-options.ts";
import type { TaskRecord } from "./task-record.ts";
import { defaultTraceFields, type TraceOptions, traceFieldNames, traceText } from "./trace.ts";

export type ReportFiles = Partial<Record<"trace" | "report" | "timeline" | "dag", string>>;

/** @throws AppError CLI_USAGE for a file that exists, an unknown format, and an unknown field of the trace */
export function reportFiles(
  options: NextflowRunOptions,
  { settings }: Pick<ReadConfiguration, "settings">,
  { launchDir, at }: { readonly launchDir: string; readonly at: number },
): ReportFiles {
  const found: ReportFiles = {};
  for (const [name, ending] of [
    ["trace", "txt"],
    ["report", "html"],
    ["timeline", "html"],
    ["dag", "html"],
  ] as const) {
    const asked: ReportOption | undefined =
      options[name] ?? (flagSetting(settings, `${name}.enabled`) ? true : undefined);
    if (asked === undefined) continue;
    const named = asked === true ? textSetting(settings, `${name}.file`) : asked;
    const file = resolve(launchDir, named ?? `${name}-${stampText(at)}.${ending}`);
    if (existsSync(file) && !flagSetting(settings, `${name}.overwrite`) && options.preview === false)
      throw new AppError(
        "CLI_USAGE",
        `${titles[name]} file already exists: ${file} -- enable \`${name}.overwrite\` in your config file to overwrite existing files`,
      );
    if (name === "dag" && !needsGraphviz(file)) dagText([], file);
    if (name === "trace") traceOptions({ settings });
    found[name] = file;
  }
  return found;
}

const titles = { trace: "Trace", report: "Report", timeline: "Timeline", dag: "DAG" } as const;

export function writeReports(
  files: ReportFiles,
  run: {
    readonly facts: ReportFacts;
    readonly tasks: readonly TaskRecord[];
    readonly processes: readonly ProcessNode[];
    readonly configuration: ReadConfiguration;
  },
  warn: (message: string) => void,
): void {
  const { facts, tasks, processes, configuration } = run;
  const save = (file: string, text: string) => {
    try {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
    } catch (error) {
      throw new AppError("FILE_NOT_WRITABLE", `writing ${file}: ${messageOf(error)}`, { cause: error });
    }
  };
  if (files.trace !== undefined) save(files.trace, traceText(tasks, traceOptions(configuration)));
  if (files.report !== undefined) save(files.report, reportHtml(facts, tasks));
  if (files.timeline !== undefined) save(files.timeline, timelineHtml(facts, tasks));
  if (files.dag === undefined) return;
  if (!needsGraphviz(files.dag)) {
    save(files.dag, dagText(processes, files.dag));
    return;
  }
  const source = `${files.dag.replace(/\.[^.]*$/, "")}.dot`;
  save(source, dagText(processes, source));
  const ending = /[^.]*$/.exec(files.dag)?.[0].toLowerCase() ?? "png";
  const drawn = spawnSync("dot", [`-T${ending}`, "-o", files.dag, source], { stdio: "ignore" });
  if (drawn.status === 0) rmSync(source, { force: true });
  else
    warn(
      `To render the execution DAG in the required format it is required to install Graphviz -- the graph is in ${source}`,
    );
}

/** @throws AppError CLI_USAGE for a field that there is not. */
function traceOptions({ settings }: Pick<ReadConfiguration, "settings">): TraceOptions {
  const asked = settingAt(settings, "trace.fields");
  const names =
    asked?.kind !== "value"
      ? defaultTraceFields
      : Array.isArray(asked.data)
        ? asked.data.map(String)
        : asked.plain.split(/[,\s]+/).filter((name) => name !== "");
  for (const name of names)
    if (!traceFieldNames.includes(name))
      throw new AppError(
        "CLI_USAGE",
        `Not a valid trace field name: '${name}'; there are ${traceFieldNames.join(", ")}`,
      );
  return {
    fields: names,
    separator: textSetting(settings, "trace.sep") ?? "\t",
    raw: flagSetting(settings, "trace.raw"),
  };
}
