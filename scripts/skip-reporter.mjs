// An additional reporter for vitest: writes which tests were skipped, and why, as JSON lines to the file that
// MEMOIR_TEST_SKIPS names. The reason is in the title of a suite (`[skipped: …]`) or was passed to `skip()`.
import { appendFileSync } from "node:fs";

export default class SkipReporter {
  onTestRunEnd(modules) {
    const file = process.env["MEMOIR_TEST_SKIPS"];
    if (file === undefined) return;
    for (const module of modules)
      for (const test of module.children.allTests("skipped"))
        appendFileSync(file, `${JSON.stringify({ names: namesOf(test), note: test.result().note })}\n`);
  }
}

function namesOf(test) {
  const names = [test.name];
  for (let parent = test.parent; parent?.type === "suite"; parent = parent.parent) names.unshift(parent.name);
  return names;
}
