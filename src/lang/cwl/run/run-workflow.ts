/**
 * Drives a workflow: every step starts as soon as its sources are there.
 * https://www.commonwl.org/v1.2/Workflow.html#WorkflowStep
 */
import { breathe, mapPaced } from "../../../kernel/index.ts";
import type { Merge, Source, Step, StepInput, Workflow } from "../model/process.ts";
import { inherited, type Requirements } from "../model/requirements.ts";
import { failureAt } from "../plan/failure.ts";
import { defaultRuntime } from "../plan/resources.ts";
import { Scope } from "../plan/scope.ts";
import { mapFiles, withContents, withListing } from "../values/complete.ts";
import { FileProblem } from "../values/file-problem.ts";
import { type CwlRecord, type CwlValue, cwlRecord, isFile, member } from "../values/value.ts";
import { knownFiles, reattached } from "./known-files.ts";
import { mergedValue } from "./merge.ts";
import type { RunCall } from "./process-call.ts";
import type { CwlRunState } from "./run-state.ts";
import { scatter } from "./scatter.ts";

/** Jobs that are reused end in moments: a few at a time need no memory for thousands. Bounds memory, not parallelism. */
const scatterPace = { young: 24, youngMs: 100, most: 2000 };

export interface WorkflowCall {
  readonly workflow: Workflow;
  readonly requirements: Requirements;
  readonly inputs: CwlRecord;
  readonly path: string;
  /** Runs what a step runs. */
  readonly runCall: RunCall;
}

/** Outputs; undefined when a step that they need did not succeed. */
export async function runWorkflow(run: CwlRunState, call: WorkflowCall): Promise<CwlRecord | undefined> {
  run.host.emit({ kind: "workflow.started", path: call.path });
  const drive = new WorkflowDrive(run, call);
  const outputs = await drive.outputs();
  run.host.emit({ kind: "workflow.ended", path: call.path });
  return outputs;
}

class WorkflowDrive {
  readonly #run: CwlRunState;
  readonly #call: WorkflowCall;
  readonly #steps: ReadonlyMap<string, Step>;
  readonly #ends = new Map<string, Promise<CwlRecord | undefined>>();

  constructor(run: CwlRunState, call: WorkflowCall) {
    this.#run = run;
    this.#call = call;
    // The first of a name counts.
    this.#steps = new Map(call.workflow.steps.toReversed().map((step) => [step.name, step] as const));
  }

  async outputs(): Promise<CwlRecord | undefined> {
    const { workflow } = this.#call;
    const ends = await Promise.all(workflow.steps.map((step) => this.#endOf(step)));
    if (ends.includes(undefined)) return undefined;
    const outputs: [string, CwlValue][] = [];
    for (const output of workflow.outputs) {
      const values = await this.#sourcesOf(output);
      if (values === undefined) return undefined;
      const what = `output ${output.name} of ${workflow.name}`;
      outputs.push([
        output.name,
        values.length === 0
          ? null
          : mergedValue(output, values, what, { place: output.place, most: this.#run.limits.items }),
      ]);
    }
    return cwlRecord(outputs);
  }

  /** Every step runs once, whoever asks for it first. */
  #endOf(step: Step): Promise<CwlRecord | undefined> {
    const known = this.#ends.get(step.name);
    if (known !== undefined) return known;
    const end = this.#runStep(step).catch((error: unknown) => {
      this.#run.threw(error);
      return undefined;
    });
    this.#ends.set(step.name, end);
    return end;
  }

  /** undefined when a step among the sources did not succeed. */
  async #sourcesOf({ sources }: Merge): Promise<readonly CwlValue[] | undefined> {
    const values = await Promise.all(sources.map((source) => this.#valueOf(source)));
    return values.every((value) => value !== undefined) ? values : undefined;
  }

  async #valueOf(source: Source): Promise<CwlValue | undefined> {
    if (source.kind === "input") return member(this.#call.inputs, source.input) ?? null;
    const step = this.#steps.get(source.step);
    if (step === undefined) return null;
    const outputs = await this.#endOf(step);
    return outputs === undefined ? undefined : (member(outputs, source.output) ?? null);
  }

  async #runStep(step: Step): Promise<CwlRecord | undefined> {
    const run = this.#run;
    const merged: [string, CwlValue][] = [];
    for (const input of step.inputs) {
      const value = await this.#inputOf(step, input);
      if (value === undefined) return undefined;
      merged.push([input.name, value]);
    }
    if (run.stopped) return undefined;
    const inputs = cwlRecord(merged);
    const path = `${this.#call.path}.${step.name}`;
    if (step.scatter.length === 0) return this.#runJob(step, inputs, path);

    const { jobs, gather } = scatter(step, inputs, run.limits.items);
    run.host.emit({ kind: "scatter.expanded", path, count: jobs.length });
    const ends = await mapPaced(jobs, scatterPace, async (job, index) => {
      const turn = breathe();
      if (turn !== undefined) await turn;
      return this.#runJob(step, job, `${path}[${index}]`).catch((error: unknown) => {
        run.threw(error);
        return undefined;
      });
    });
    const done = ends.filter((end) => end !== undefined);
    if (done.length < ends.length) return undefined;
    return cwlRecord(
      step.outputs.map((name) => [name, gather(done.map((end) => member(end, name) ?? null))] as const),
    );
  }

  async #inputOf(step: Step, input: StepInput): Promise<CwlValue | undefined> {
    const values = await this.#sourcesOf(input);
    if (values === undefined) return undefined;
    const what = `input ${input.name} of step ${step.name}`;
    const merged =
      values.length === 0
        ? null
        : mergedValue(input, values, what, { place: input.place, most: this.#run.limits.items });
    const value = merged ?? input.default ?? null;
    return this.#loaded(step, input, value);
  }

  async #loaded(step: Step, input: StepInput, value: CwlValue): Promise<CwlValue> {
    const { files, ask } = this.#run;
    const { loadContents, loadListing } = input;
    if (!loadContents && loadListing === undefined) return value;
    try {
      return await mapFiles(value, async (each) => {
        if (isFile(each)) return loadContents ? withContents(each, step.run.version, files, ask) : each;
        return loadListing === undefined ? each : withListing(each, loadListing, files, ask);
      });
    } catch (error) {
      if (error instanceof FileProblem)
        throw failureAt(
          input.place,
          "cwl-load-contents",
          `input ${input.name} of ${step.name}: ${error.message}`,
        );
      throw error;
    }
  }

  /** One job: expressions of the step's inputs, the condition, the process. */
  async #runJob(step: Step, given: CwlRecord, path: string): Promise<CwlRecord | undefined> {
    const run = this.#run;
    if (run.stopped) return undefined;
    const requirements = inherited(this.#call.requirements, step.requirements);
    const inputs = await this.#evaluated(step, given, requirements);
    if (step.when !== undefined) {
      const scope = this.#scope(inputs, requirements);
      const wanted = await scope.evaluate(step.when);
      if (typeof wanted !== "boolean")
        throw failureAt(
          step.when.place,
          "cwl-when",
          `when of step ${step.name}: expected a boolean, got ${JSON.stringify(wanted)}`,
        );
      if (!wanted) return cwlRecord(step.outputs.map((name) => [name, null] as const));
    }
    return this.#call.runCall(run, {
      process: step.run,
      requirements: inherited(requirements, step.run.requirements),
      given: inputs,
      path,
      siblings: "given",
    });
  }

  async #evaluated(step: Step, given: CwlRecord, requirements: Requirements): Promise<CwlRecord> {
    if (step.inputs.every((input) => input.valueFrom === undefined)) return given;
    const scope = this.#scope(given, requirements);
    const known = knownFiles(given);
    const values = await Promise.all(
      step.inputs.map(async ({ name, valueFrom }) => {
        const value = member(given, name) ?? null;
        if (valueFrom === undefined) return [name, value] as const;
        const answer = await scope.evaluate(valueFrom, value);
        return [name, await mapFiles(answer, async (each) => reattached(each, known))] as const;
      }),
    );
    return cwlRecord(values);
  }

  #scope(inputs: CwlRecord, requirements: Requirements): Scope {
    const { evaluator, ask } = this.#run;
    return new Scope({ evaluator, inputs, runtime: defaultRuntime, requirements, ask });
  }
}
