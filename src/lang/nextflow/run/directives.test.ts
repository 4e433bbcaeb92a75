/** Directives that decide how a task is tried, and what scripts see of them. */
import { describe, expect, test } from "vitest";
import { runPipeline } from "./testing/run-text.ts";

const run = (main: string, config = "") =>
  runPipeline({ files: { "main.nf": main, "nextflow.config": config } });

describe("a failing task", () => {
  test.each([
    ["'retry'", "succeeded", ["P", "P"]],
    ["'RETRY'", "succeeded", ["P", "P"]],
    ["{ task.exitStatus == 5 ? 'retry' : 'terminate' }", "succeeded", ["P", "P"]],
    ["{ task.exitStatus in 130..145 ? 'retry' : 'finish' }", "failed", ["P"]],
    ["'terminate'", "failed", ["P"]],
    ["'finish'", "failed", ["P"]],
    ["'ignore'", "succeeded", ["P"]],
  ])("with errorStrategy %s ends the run as %s", async (strategy, kind, calls) => {
    const end = await run(`process P { errorStrategy ${strategy}
      script: "exit \${task.attempt == 1 ? 5 : 0}" }
    workflow { P() }`);
    expect([end.kind, end.calls]).toEqual([kind, calls]);
  });

  test.each([
    ["task.attempt < 3 ? 'retry' : 'ignore'", "succeeded", ["10", "30"]],
    ["'ignore'", "succeeded", ["10", "30"]],
    ["'terminate'", "failed", undefined],
  ])("whose code throws is treated as errorStrategy { %s } says", async (strategy, kind, printed) => {
    const end = await run(`process P { errorStrategy { ${strategy} }
      maxRetries 5
      input: val x
      output: val y
      exec:
        if (x == 2) throw new Exception("boom $x")
        y = x * 10 }
    workflow { P(channel.of(1, 2, 3)).view() }`);
    expect([end.kind, printed === undefined ? undefined : end.lines]).toEqual([kind, printed]);
    expect(end.trouble).toContain("boom 2");
  });

  test("is tried maxRetries times, where 0 is as nothing, and its process fails at most maxErrors times", async () => {
    const always = (directives: string, values = "1") => `process P { errorStrategy 'retry'
      ${directives}
      maxForks 1
      input: val x
      script: 'exit 1' }
    workflow { P(channel.of(${values})) }`;
    expect((await run(always(""))).calls).toHaveLength(2);
    expect((await run(always("maxRetries 3"))).calls).toHaveLength(4);
    expect((await run(always("maxRetries 0"))).calls).toHaveLength(2);
    expect((await run(always("maxRetries 9; maxErrors 3"))).calls).toHaveLength(3);
  });

  test("sees in its next attempt how the one before ended", async () => {
    const { lines, kind } = await run(`process P { errorStrategy 'retry'
      maxRetries 2
      memory { task.attempt > 1 ? task.previousTrace.memory * 2 : 1.GB }
      cpus { task.attempt }
      time { 1.h * task.attempt }
      input: val x
      output: val y
      script:
        y = [task.attempt, task.exitStatus, task.memory, task.cpus, task.time, task.previousTrace?.exit, task.previousException != null]
        "exit \${task.attempt < 3 ? 4 : 0}" }
    workflow { P(1).view() }`);
    expect([kind, lines]).toEqual(["succeeded", ["[3, 4, 4 GB, 3, 3h, 4, true]"]]);
  });

  test("goes the same way where an output is missing or a command of one fails, and not where a directive is wrong", async () => {
    const missing = await run(
      "process P { errorStrategy 'ignore'\n output: path 'x'\n script: 'true' }\nworkflow { P() }",
    );
    expect(missing.kind).toBe("succeeded");
    const command = await run(
      "process P { errorStrategy 'ignore'\n output: eval('exit 3')\n script: 'true' }\nworkflow { P() }",
    );
    expect(command.kind).toBe("succeeded");
    const wrong = await run(
      "process P { errorStrategy 'ignore'\n memory 'much'\n script: 'true' }\nworkflow { P() }",
    );
    expect([wrong.kind, wrong.calls]).toEqual(["failed", []]);
    const negative = await run(
      "process P { errorStrategy 'retry'\n cpus { -1 }\n script: 'true' }\nworkflow { P() }",
    );
    expect([negative.kind, negative.calls]).toEqual(["failed", []]);
  });
});

describe("directives", () => {
  test("can all be read by the script, whether or not anything comes of them", async () => {
    const { lines, trouble } = await run(
      `process P {
      queue 'long'
      clusterOptions '--qos=high'
      penv 'smp'
      machineType 'n1'
      arch 'linux/amd64'
      array 10
      fair true
      accelerator 2, type: 'x'
      resourceLabels a: 'b'
      maxSubmitAwait '10 m'
      module 'a/1:b/2'
      pod label: 'x', value: 'y'
      ext a: 1, b: { task.cpus + 1 }
      input: val x
      output: val y
      script:
        y = [task.queue, task.clusterOptions, task.penv, task.machineType, task.array, task.accelerator.request, task.accelerator.type, task.ext.a, task.ext.b, task.ext.none]
        'module() { :; }; true' }
    workflow { P(1).view() }`,
      "process.beforeScript = 'module() { :; }'\n",
    );
    expect({ lines, trouble }).toEqual({
      lines: ["[long, --qos=high, smp, n1, 10, 2, x, 1, 2, null]"],
      trouble: "",
    });
  });

  test("that say where in a cluster a task goes refuse what Memoir itself says of its jobs", async () => {
    const wrong = await run(
      "process P { clusterOptions '--qos=high --output=/tmp/x'\n script: 'true' }\nworkflow { P() }",
    );
    expect([wrong.kind, wrong.trouble]).toEqual([
      "failed",
      expect.stringContaining("--output=/tmp/x is for Memoir to set"),
    ]);
  });

  test("are limited by resourceLimits, also for the script", async () => {
    const { lines } = await run(`process P { cpus 8
      memory { 4.GB * task.attempt }
      time '2d'
      disk '100 GB'
      resourceLimits cpus: 2, memory: 1.GB, time: 1.h, disk: 10.GB
      input: val x
      output: val y
      script:
        y = [task.cpus, task.memory, task.time, task.disk]
        'true' }
    workflow { P(1).view() }`);
    expect(lines).toEqual(["[2, 1 GB, 1h, 10 GB]"]);
  });

  test("with maxForks let so many tasks of a process run at once", async () => {
    const { lines } = await run(`process P { maxForks 1
      input: val x
      output: stdout
      script: "mkdir $launchDir/lock || { echo taken; exit 0; }; sleep 0.1; rmdir $launchDir/lock; echo free" }
    workflow { P(channel.of(1..4)).map { it.trim() }.view() }`);
    expect(lines).toEqual(["free", "free", "free", "free"]);
  });

  test("with fair keep the order of what arrives", async () => {
    const { printed } = await run(`process P { fair true
      input: val x
      output: val x
      script: "sleep \${x == 1 ? 0.4 : 0}" }
    workflow { P(channel.of(1..4)).view() }`);
    expect(printed).toEqual(["1", "2", "3", "4"]);
  });

  test("name environments that are not made here in one clear message", async () => {
    for (const name of ["spack", "wave"]) {
      const end = await run("process P { script: 'true' }\nworkflow { P() }", `${name}.enabled = true\n`);
      expect([end.kind, end.trouble]).toEqual(["failed", expect.stringContaining(`${name} is switched on`)]);
    }
  });

  test("take values from the inputs, as closures, texts and expressions", async () => {
    const { lines } = await run(`process P { tag "t\${x}"
      cpus { x }
      memory x * 1.GB
      input: val x
      output: val y
      script:
        y = [task.tag, task.cpus, task.memory, task.name]
        'true' }
    workflow { P(channel.of(2)).view() }`);
    expect(lines).toEqual(["[t2, 2, 2 GB, P (t2)]"]);
  });
});

describe("a closure in ext", () => {
  test("takes what the script gives it, and is otherwise called when it is read", async () => {
    const config = `process.ext.options = { meta -> "--id \${meta.id}" }
process.ext.made = { { n -> n * task.cpus } }
process.ext.parts = [one: { n -> "first \${n}" }, second: 'plain']
process.ext.prefix = { "\${meta.id}_x" }`;
    const main = `process P {
  cpus 2
  ext when: { meta.id == 'a' }
  input: val meta
  output: val y
  exec:
  y = [task.ext.options(meta), task.ext.made(4), task.ext.made.call(5), task.ext.parts.one(7), task.ext.parts.second, task.ext.prefix, task.ext.when]
}
workflow { P([id: 'a']).view() }`;
    const end = await runPipeline({ files: { "main.nf": main, "nextflow.config": config } });
    expect([end.trouble, end.lines]).toEqual(["", ["[--id a, 8, 10, first 7, plain, a_x, true]"]]);
  });
});
