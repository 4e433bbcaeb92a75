/** Steps that wait for each other. */
import type { Step, Workflow } from "../model/process.ts";

/** The steps of one cycle, in order; undefined = there is none. */
export function findCycle(workflow: Workflow): readonly Step[] | undefined {
  const byName = new Map(workflow.steps.map((each) => [each.name, each]));
  const done = new Set<Step>();
  for (const start of workflow.steps) {
    // Without recursion: workflows may have thousands of steps in a row.
    const open = new Set<Step>();
    const trail: { readonly step: Step; readonly next: Iterator<string> }[] = [];
    const enter = (step: Step) => {
      open.add(step);
      trail.push({ step, next: waitsFor(step).values() });
    };
    if (!done.has(start)) enter(start);
    for (let top = trail.at(-1); top !== undefined; top = trail.at(-1)) {
      const { value, done: ended } = top.next.next();
      if (ended === true) {
        done.add(top.step);
        open.delete(top.step);
        trail.pop();
        continue;
      }
      const next = byName.get(value);
      if (next === undefined || done.has(next)) continue;
      if (open.has(next))
        return trail.slice(trail.findIndex((each) => each.step === next)).map((each) => each.step);
      enter(next);
    }
  }
  return undefined;
}

function waitsFor(step: Step): readonly string[] {
  return step.inputs.flatMap((input) =>
    input.sources.flatMap((each) => (each.kind === "step" ? [each.step] : [])),
  );
}
