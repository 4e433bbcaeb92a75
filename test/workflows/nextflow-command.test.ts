/** Nextflow's own command line, as its users and the programs that drive it type it. */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Sandbox } from "./sandbox.ts";

const hello = `
params.greeting = 'world'
params.shout = false
process sayHello {
  tag "$x"
  publishDir 'results', mode: 'copy'
  input: val x
  output: path "*.txt"
  script:
  """
  echo '$x \${params.greeting}' | tee \${x}.txt
  """
  stub: "touch \${x}.stub.txt"
}
process ALL {
  input: path 'in/*'
  output: path 'all'
  script: 'cat in/* > all'
}
workflow {
  sayHello(channel.of('Hello', 'Ciao'))
  ALL(sayHello.out.collect())
  sayHello.out.view { it.text.trim() }
  println "greeting \${params.greeting} \${params.greeting.getClass()}"
}
`;

let box: Sandbox;
beforeEach(async () => {
  box = await Sandbox.create();
  await box.write("main.nf", hello);
});
afterEach(() => box.remove());

const nextflow = (...words: readonly string[]) => box.run("nextflow", ...words);
const read = (name: string) => readFileSync(box.path(name), "utf8");
const said = (text: string, what: string) =>
  text
    .split("\n")
    .filter((line) => line.includes(what))
    .map((line) => line.slice(line.indexOf(what) + what.length).trim())
    .sort();

describe("nextflow run", () => {
  it("prints what Nextflow prints, and leaves its files", async () => {
    const { code, out } = await nextflow("run", "main.nf", "-ansi-log", "false", "--greeting", "you");
    expect(code).toBe(0);
    expect(out).toMatch(
      /^N E X T F L O W {2}~ {2}version \d+\.\d+\.\d+\nLaunching `main\.nf` \[[a-z]+_[a-z]+\]/,
    );
    expect(said(out, "] Submitted process > ")).toEqual(["ALL", "sayHello (Ciao)", "sayHello (Hello)"]);
    expect(out).toContain("Hello you\n");
    const log = read(".nextflow.log").split("\n");
    const submitted = log.filter((line) => line.includes("INFO") && line.includes("Submitted process > "));
    expect(submitted).toHaveLength(3);
    const [, hash = ""] = /\[(\S+)\] Submitted process > sayHello \(Hello\)/.exec(out) ?? [];
    const [two = "", rest = ""] = hash.split("/");
    const [name = ""] = readdirSync(box.path(`work/${two}`)).filter((each) => each.startsWith(rest));
    const folder = box.path(join("work", two, name));
    expect(name).toMatch(/^[0-9a-f]{30}$/);
    const text = (file: string) => readFileSync(join(folder, file), "utf8");
    expect(text(".command.sh")).toContain("tee Hello.txt");
    expect(text(".command.out")).toBe("Hello you\n");
    expect(text(".command.log")).toBe("Hello you\n");
    expect(text(".exitcode")).toBe("0");
    expect(text("Hello.txt")).toBe("Hello you\n");
    const recorded = readlinkSync(join(folder, "Hello.txt"));
    const again = spawnSync("bash", [".command.run"], { cwd: folder });
    expect(again.status).toBe(0);
    expect(readFileSync(recorded, "utf8")).toBe("Hello you\n");
    const [row = ""] = read(".nextflow/history").split("\n");
    expect(row.split("\t").slice(3, 4)).toEqual(["OK"]);
    expect(row.split("\t").at(-1)).toBe("nextflow run main.nf -ansi-log false --greeting you");
  });

  it("`.command.run` runs a task again, also with a shell that overwrites no files", async () => {
    await box.write(
      "main.nf",
      `process P {
  shell 'bash', '-C', '-e', '-u', '-o', 'pipefail'
  input: path(x, stageAs: 'in dir/*')
    path y
    path missing
  output: path 'in dir/made.txt'
    path 'folder'
    path 'link.txt'
    path 'lines.txt'
    env 'WORD'
    eval 'cat lines.txt'
  script: """
  cat 'in dir/x.txt' > 'in dir/made.txt'
  mkdir folder; echo made > folder/f
  ln -s $y link.txt
  cat link.txt 'in dir/made.txt' > lines.txt; WORD=5
  """
}
workflow { P(file('x.txt'), file('y.txt'), file('missing.txt')) }
`,
    );
    await box.write("x.txt", "x\n");
    await box.write("y.txt", "y\n");
    expect((await nextflow("-q", "run", "main.nf")).code).toBe(0);
    const two = readdirSync(box.path("work")).find((name) => /^\w\w$/.test(name)) ?? "";
    const folder = box.path(join("work", two, readdirSync(box.path(join("work", two)))[0] ?? ""));
    const recorded = readlinkSync(join(folder, "lines.txt"));
    for (const _ of ["links to what was recorded are there", "files and folders are there"]) {
      const { status, stderr } = spawnSync("bash", [".command.run"], { cwd: folder });
      expect({ status, stderr: String(stderr) }).toEqual({ status: 0, stderr: "" });
      expect(readFileSync(join(folder, "lines.txt"), "utf8")).toBe("y\nx\n");
      expect(readFileSync(join(folder, "folder/f"), "utf8")).toBe("made\n");
    }
    expect(readFileSync(recorded, "utf8")).toBe("y\nx\n");
    expect([await box.read("x.txt"), await box.read("y.txt")]).toEqual(["x\n", "y\n"]);
  });

  it("-stub needs no GPU for a process that asks for one", async () => {
    await box.write(
      "main.nf",
      "process P { accelerator 1\n script: 'nvidia-smi'\n stub: 'true' }\nworkflow { P() }\n",
    );
    expect((await nextflow("run", "main.nf", "-stub")).code).toBe(0);
    const { code, out, err } = await nextflow("run", "main.nf");
    expect([code, out + err]).toEqual([1, expect.stringContaining("asks for 1 gpus")]);
  });

  it("shows workflow outputs at the end, as text or JSON", async () => {
    await box.write(
      "main.nf",
      `process P { output: path 'd/a.txt'
  script: 'mkdir d; echo a > d/a.txt' }
workflow { main: P()
  publish: one = P.out }
output { one { mode 'copy' } }
`,
    );
    const text = await nextflow("-q", "run", "main.nf");
    expect(text.out).toBe(`\nOutputs:\n\n  ${box.path("results")}\n\n  one: d/a.txt\n`);
    const json = await nextflow("-q", "run", "main.nf", "-output-format", "json");
    expect(JSON.parse(json.out)).toEqual({ one: box.path("results/d/a.txt") });
    expect((await nextflow("-q", "run", "main.nf", "-output-format", "none")).out).toBe("");
    expect((await nextflow("run", "main.nf", "-output-format", "xml")).out).toContain("-output-format: xml");
  });

  it("NXF_AGENT_MODE shows a short line for each thing that happens", async () => {
    const agent = box.with({ NXF_AGENT_MODE: "true" });
    const { code, out } = await agent.run("nextflow", "run", "main.nf");
    expect(code).toBe(0);
    expect(out).toMatch(/^\[PIPELINE\] main\.nf \| profile=standard\n\[WORKDIR\] .*\/work\n/);
    expect(out).toMatch(/^\[PROCESS \w\w\/\w{6}\] ALL$/m);
    expect(out).toMatch(/\n\[SUCCESS\] completed=3 failed=0 cached=0\n$/);
    await box.write("main.nf", "process P { script: 'echo no >&2; exit 3' }\nworkflow { P() }");
    const failed = await agent.run("nextflow", "run", "main.nf");
    expect(failed.code).toBe(1);
    expect(failed.out).toMatch(/^\[ERROR\] P\nexit: 3\nstderr: no\nworkdir: \/.*$/m);
    expect(failed.out).toMatch(/\n\[FAILED\] completed=0 failed=1 cached=0\n$/);
  });

  it("keeps long lists of staged inputs in a file", async () => {
    await box.with({ NXF_WRAPPER_STAGE_FILE_THRESHOLD: "100" }).run("nextflow", "run", "main.nf");
    const log = await nextflow("log", "last", "-F", "process == 'ALL'");
    const stage = readFileSync(join(log.out.trim(), ".command.stage"), "utf8").split("\n");
    expect(stage.filter((line) => line.startsWith("rm -f 'in/"))).toHaveLength(2);
    expect(stage.filter((line) => line.startsWith("mkdir -p 'in' && ln -s '/"))).toHaveLength(2);
  });

  it("-resume reuses what this folder has computed; without it everything is computed", async () => {
    await nextflow("run", "main.nf");
    const again = await nextflow("run", "main.nf");
    expect(said(again.out, "Submitted process > ")).toHaveLength(3);
    const resumed = await nextflow("run", "-resume", "main.nf");
    expect(said(resumed.out, "Submitted process > ")).toEqual([]);
    expect(said(resumed.out, "Cached process > ")).toEqual(["ALL", "sayHello (Ciao)", "sayHello (Hello)"]);
    const [, session = ""] = read(".nextflow/history")
      .split("\n")
      .map((line) => line.split("\t")[5] ?? "");
    const named = await nextflow("run", "main.nf", "-resume", session, "--greeting", "you");
    expect(said(named.out, "Cached process > ")).toEqual([]);
    const changed = await nextflow("run", "main.nf", "--greeting", "world", "-resume", session);
    expect(said(changed.out, "Cached process > ")).toHaveLength(3);
    const hashes = (text: string) => text.match(/\[\w\w\/\w{6}\]/g)?.toSorted();
    expect(hashes(resumed.out)).toEqual(hashes(again.out));
  });

  it("-resume in a folder without history warns and computes", async () => {
    const { code, out } = await nextflow("run", "main.nf", "-resume");
    expect(code).toBe(0);
    expect(out).toContain("WARN: It appears you have never run this project before");
    expect(said(out, "Submitted process > ")).toHaveLength(3);
  });

  it("--cache reuses what another folder has recorded", async () => {
    box.shell("memoir nextflow --cache ./lab run main.nf");
    await mkdir(box.path("elsewhere"));
    const other = box.shell("cd elsewhere && memoir nextflow run ../main.nf -cache ../lab");
    expect(said(other.out, "Cached process > ")).toHaveLength(3);
    expect(existsSync(box.path("elsewhere/results/Hello.txt"))).toBe(true);
  });

  it("shows a task that failed as Nextflow does, and exits with 1", async () => {
    await box.write(
      "main.nf",
      `process BAD {
  tag 'one'
  errorStrategy { task.attempt < 2 ? 'retry' : 'terminate' }
  script:
  """
  echo out
  echo trouble >&2
  exit 7
  """
}
workflow { BAD() }`,
    );
    const { code, out } = await nextflow("run", "main.nf");
    expect(code).toBe(1);
    expect(said(out, "Re-submitted process > ")).toEqual(["BAD (one)"]);
    expect(out).toContain(
      "NOTE: Process `BAD (one)` terminated with an error exit status (7) -- Execution is retried (1)",
    );
    expect(out).toContain(`ERROR ~ Error executing process > 'BAD (one)'

Caused by:
  Process \`BAD (one)\` terminated with an error exit status (7)


Command executed:

  echo out
  echo trouble >&2
  exit 7

Command exit status:
  7

Command output:
  out

Command error:
  trouble

Work dir:
  ${box.folder}`);
    expect(read(".nextflow/history").split("\t")[3]).toBe("ERR");
    const { out: quiet } = await nextflow("-q", "run", "main.nf");
    expect(quiet.startsWith("ERROR ~ ")).toBe(true);
  });

  it("names script and line of an error in a script", async () => {
    await box.write("main.nf", "workflow {\n  def x = null\n  x.foo()\n}\n");
    const { code, out } = await nextflow("run", "main.nf");
    expect(code).toBe(1);
    expect(out).toContain("-- Check script 'main.nf' at line: 3");
  });

  it("-stub runs stub blocks, and -preview runs nothing", async () => {
    const preview = await nextflow("run", "main.nf", "-preview", "-with-dag", "d.mmd");
    expect(preview.code).toBe(0);
    expect(said(preview.out, "Submitted process > ")).toEqual([]);
    expect(read("d.mmd")).toContain("sayHello");
    const stub = await nextflow("run", "main.nf", "-stub-run");
    expect(stub.code).toBe(0);
    expect(existsSync(box.path("results/Ciao.stub.txt"))).toBe(true);
  });

  it("writes trace, report, timeline and graph", async () => {
    const { code } = await nextflow(
      ...["run", "main.nf", "-with-trace", "t.txt", "-with-report", "r.html"],
      ...["-with-timeline", "l.html", "-with-dag", "g.dot"],
    );
    expect(code).toBe(0);
    const [header = "", ...lines] = read("t.txt").trimEnd().split("\n");
    expect(header.split("\t").slice(0, 6)).toEqual([
      "task_id",
      "hash",
      "native_id",
      "name",
      "status",
      "exit",
    ]);
    expect(lines.map((line) => line.split("\t").slice(3, 6))).toContainEqual([
      "sayHello (Ciao)",
      "COMPLETED",
      "0",
    ]);
    for (const file of ["r.html", "l.html", "g.dot"]) expect(read(file)).toContain("sayHello");
    expect(read("g.dot")).toContain("v0 -> v1");
    const again = await nextflow("run", "main.nf", "-with-trace", "t.txt");
    expect(again.code).toBe(1);
    expect(again.out).toContain("Trace file already exists");
  });

  it("takes trace options from the configuration", async () => {
    await box.write(
      "nextflow.config",
      "trace { enabled = true\n file = 'x/t.csv'\n fields = 'name,status,cpus,memory'\n raw = true\n sep = ',' }\nprocess.memory = 1.GB\n",
    );
    expect((await nextflow("run", "main.nf", "-process.cpus", "1")).code).toBe(0);
    expect(read("x/t.csv").split("\n").slice(0, 1)).toEqual(["name,status,cpus,memory"]);
    expect(read("x/t.csv")).toContain("ALL,COMPLETED,1,1073741824");
  });

  it("parameters: the command line wins over the params file, and that over configuration", async () => {
    await box.write(
      "main.nf",
      "params.a = 's'\nparams.b = 's'\nparams.c = 's'\nworkflow { println params.subMap(['a', 'b', 'c', 'n', 'flag', 'neg', 'deep']).toString() }",
    );
    await box.write("nextflow.config", "params.a = 'conf'\nparams.b = 'conf'\n");
    await box.write("p.yml", "b: file\nn: 3\n");
    const { out } = await nextflow(
      ...[
        "-q",
        "run",
        "main.nf",
        "-params-file",
        "p.yml",
        "--n=4",
        "--flag",
        "--neg",
        "-1",
        "--deep.x",
        "y z",
      ],
    );
    expect(out).toBe("[a:conf, b:file, c:s, n:4, flag:true, neg:-1, deep:[x:y z]]\n");
  });

  it("profiles and -c and -C choose the configuration", async () => {
    await box.write("main.nf", 'workflow { println "$params.a $workflow.profile $args" }');
    await box.write("nextflow.config", "params.a = 'conf'\nprofiles { fast { params.a = 'fast' } }\n");
    await box.write("more.config", "params.a = 'more'\n");
    const line = async (...words: string[]) => (await nextflow("-q", ...words)).out.trim();
    expect(await line("run", "main.nf", "-profile", "fast", "x", "y")).toBe("fast fast [x, y]");
    expect(await line("run", "main.nf", "-c", "more.config")).toBe("more standard []");
    expect(await line("-C", "more.config", "run", "main.nf")).toBe("more standard []");
    const wrong = await nextflow("run", "main.nf", "-profile", "slow");
    expect([wrong.code, wrong.out.includes("Unknown configuration profile: 'slow'")]).toEqual([1, true]);
  });

  it("an unknown option is refused with what is near", async () => {
    const { code, out } = await nextflow("run", "main.nf", "-profil", "x");
    expect([code, out.includes("Unknown option: -profil")]).toEqual([1, true]);
  });

  it("Ctrl-C ends the run with 130 and keeps what is done", async () => {
    await box.write(
      "main.nf",
      "process QUICK { output: path 'q'\n script: 'touch q' }\nprocess LONG { input: path q\n script: 'touch $MARK; sleep 600' }\nworkflow { QUICK() | LONG }",
    );
    const mark = box.path("started");
    await box.write("nextflow.config", `env { MARK = '${mark}' }\n`);
    const run = box.start("nextflow", "run", "main.nf");
    await until(() => existsSync(mark));
    run.process.kill("SIGINT");
    expect((await run.ended).code).toBe(130);
    expect(read(".nextflow/history").split("\t")[3]).toBe("ERR");
    const trace = await nextflow("log", "last", "-f", "name,status");
    expect(trace.out.trim().split("\n")).toEqual(["QUICK\tCOMPLETED", "LONG\tABORTED"]);
  });
});

async function until(there: () => boolean): Promise<void> {
  while (!there()) await new Promise((resolve) => setTimeout(resolve, 20));
}

describe("nextflow log, clean, config and inspect", () => {
  it("log shows runs and tasks, and clean removes what no other run uses", async () => {
    await nextflow("run", "main.nf", "-name", "first");
    await nextflow("run", "main.nf", "-name", "second", "-resume");
    await nextflow("run", "main.nf", "-name", "third");
    expect((await nextflow("log", "-q")).out).toBe("first\nsecond\nthird\n");
    const fields = await nextflow(
      "log",
      "second",
      "-f",
      "name,status",
      "-F",
      "process == 'ALL' && exit == 0",
    );
    expect(fields.out).toBe("ALL\tCACHED\n");
    const template = await nextflow("log", "first", "-t", "$name: ${exit}", "-F", "name =~ /Ciao/");
    expect(template.out).toBe("sayHello (Ciao): 0\n");
    expect((await nextflow("clean", "third")).out).toContain(
      "Neither -f or -n specified -- refused to clean",
    );
    const dry = await nextflow("clean", "-n", "third");
    expect(said(dry.out, "Would remove ")).toHaveLength(3);
    // The folders of the first two runs are the same ones.
    expect((await nextflow("clean", "-n", "first")).out).toBe("");
    const done = await nextflow("clean", "third", "-f");
    const removed = said(done.out, "Removed ");
    expect(removed.map((each) => existsSync(each))).toEqual([false, false, false]);
    expect((await nextflow("log", "-q")).out).toBe("first\nsecond\n");
    const resumed = await nextflow("run", "main.nf", "-resume");
    expect(said(resumed.out, "Cached process > ")).toHaveLength(3);
    await nextflow("clean", "-f", "-but", "first");
    await nextflow("clean", "-f");
    expect(readdirSync(box.path("work")).filter((name) => name !== ".memoir")).toEqual([]);
    expect(readdirSync(box.path("work/.memoir"))).toEqual([]);
  });

  it("clean removes only folders of tasks, and no file that somebody else has put there", async () => {
    await nextflow("run", "main.nf");
    const { out } = await nextflow("log", "last");
    const [folder = "", second = ""] = out.trim().split("\n");
    await writeFile(join(folder, "mine.txt"), "mine");
    await nextflow("clean", "-f");
    expect(existsSync(join(folder, "mine.txt"))).toBe(true);
    expect(existsSync(second)).toBe(false);
    expect(existsSync(box.path("results/Hello.txt"))).toBe(true);
  });

  it("config prints the configuration in the formats that there are", async () => {
    await box.write(
      "nextflow.config",
      "params { a = 1\n b = 'x' }\nprocess { cpus = 2\n withLabel: 'big.*' { memory = '8 GB' }\n withName: FOO { ext.args = { \"-n ${task.cpus}\" } } }\nprofiles { one { process.cpus = 4 } }\n",
    );
    const text = async (...words: string[]) => (await nextflow("config", ...words)).out;
    expect(await text()).toBe(`outputDir = 'results'

params {
   a = 1
   b = 'x'
}

process {
   cpus = 2
   withLabel:'big.*' {
      memory = '8 GB'
   }
   withName:FOO {
      ext {
         args = { "-n \${task.cpus}" }
      }
   }
}
`);
    expect((await text("-flat", "-profile", "one")).split("\n").slice(1, 4)).toEqual([
      "params.a = 1",
      "params.b = 'x'",
      "process.cpus = 4",
    ]);
    expect((await text("-properties")).split("\n")[2]).toBe("params.b=x");
    expect(await text("-value", "process.cpus")).toBe("2\n");
    expect(await text("-a")).toContain("profiles {\n   one {\n      process {\n         cpus = 4\n");
    expect(JSON.parse(await text("-o", "json")).params).toEqual({ a: 1, b: "x" });
    expect((await nextflow("config", "-profile", "two")).code).toBe(1);
  });

  it("inspect lists processes and their containers, and runs nothing", async () => {
    await box.write("nextflow.config", "process { withName: ALL { container = 'quay.io/x/all:1' } }\n");
    const { code, out } = await nextflow("inspect", "main.nf");
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual({
      processes: [
        { name: "sayHello", container: null },
        { name: "ALL", container: "quay.io/x/all:1" },
      ],
    });
    expect(existsSync(box.path("work"))).toBe(false);
    const { out: config } = await nextflow("inspect", "-format", "config", "main.nf");
    expect(config).toBe("process { withName: 'ALL' { container = 'quay.io/x/all:1' } }\n");
  });
});

describe("pipelines from repositories", () => {
  const git = (folder: string, ...words: readonly string[]) => {
    const line = [
      "-C",
      folder,
      "-c",
      "user.name=x",
      "-c",
      "user.email=x@y",
      "-c",
      "safe.directory=*",
      ...words,
    ];
    const { status, stderr } = spawnSync("git", line, { encoding: "utf8" });
    if (status !== 0) throw new Error(`git ${words.join(" ")}: ${stderr}`);
  };

  it("run by address and by owner/name, at a revision, and without the repository once they are kept", async () => {
    const folder = box.path("hub/me/pipe");
    await mkdir(folder, { recursive: true });
    git(folder, "init", "-q", "-b", "main");
    await writeFile(join(folder, "main.nf"), 'workflow { println "one $workflow.revision" }\n');
    git(folder, "add", "-A");
    git(folder, "commit", "-qm", "one");
    git(folder, "tag", "v1");
    await writeFile(join(folder, "main.nf"), 'workflow { println "two $workflow.revision" }\n');
    git(folder, "commit", "-qam", "two");
    await box.write(
      "gitconfig",
      `[url "file://${box.path("hub")}/"]\n\tinsteadOf = https://github.com/\n[safe]\n\tdirectory = *\n`,
    );
    const here = box.with({ GIT_CONFIG_GLOBAL: box.path("gitconfig") });
    const line = async (...words: string[]) => (await here.run("nextflow", "-q", "run", ...words)).out.trim();
    expect(await line("me/pipe", "-r", "v1")).toBe("one v1");
    expect(await line("me/pipe")).toBe("two main");
    expect(await line(`file://${folder}`)).toBe("two main");
    expect(await line("me/pipe", "-hub", `file://${box.path("hub")}`, "-r", "v1")).toBe("one v1");
    const memoir = async (...words: string[]) => (await here.run(...words)).out;
    expect(await memoir("run", "me/pipe", "-r", "v1")).toContain("succeeded pipe in ");
    expect(await memoir("check", "me/pipe", "-r", "v1")).toContain("ok");
    await writeFile(join(folder, "main.nf"), 'workflow { println "three $workflow.revision" }\n');
    git(folder, "commit", "-qam", "three");
    expect(await line("me/pipe")).toBe("two main");
    expect(await line("me/pipe", "-latest")).toBe("three main");
    await rename(box.path("hub"), box.path("gone"));
    expect(await line("me/pipe", "-r", "v1")).toBe("one v1");
    const wrong = await here.run("nextflow", "run", "me/pipe", "-r", "v9", "-offline");
    expect([wrong.code, wrong.out.includes("Cannot find revision `v9`")]).toEqual([1, true]);
    expect((await here.run("nextflow", "list")).out).toContain("me/pipe\n");
    const { out: info } = await here.run("nextflow", "info", "me/pipe");
    for (const text of [
      " project name: me/pipe\n",
      " main script : main.nf\n",
      " * main (default)\n",
      "   v1 [t]\n",
    ])
      expect(info).toContain(text);
    expect(JSON.parse((await here.run("nextflow", "info", "me/pipe", "-o", "json")).out).name).toBe(
      "me/pipe",
    );
    expect((await here.run("nextflow", "view", "-q", "me/pipe", "-r", "v1")).out).toBe(
      'workflow { println "one $workflow.revision" }\n',
    );
    expect((await here.run("nextflow", "view", "-l", "me/pipe")).out).toMatch(
      /== content of path: .*\nmain\.nf\n/,
    );
    await rename(box.path("gone"), box.path("hub"));
    const cloned = await here.run("nextflow", "clone", "me/pipe", "copy", "-r", "v1");
    expect([cloned.code, cloned.out]).toEqual([0, "me/pipe cloned to: copy\n"]);
    expect(read("copy/main.nf")).toContain("one");
    const full = await here.run("nextflow", "clone", "me/pipe", "copy");
    expect([full.code, full.out.includes("must be empty")]).toEqual([1, true]);
    expect((await here.run("nextflow", "drop", "me/pipe")).code).toBe(0);
    for (const command of ["drop", "info", "view"]) {
      const unknown = await here.run("nextflow", command, "me/pipe");
      expect([unknown.code, unknown.out.includes("Unknown project `me/pipe`")]).toEqual([1, true]);
    }
  });
});

describe("memoir shim", () => {
  it("writes a nextflow that takes the command lines of nf-test", async () => {
    const made = await box.run("shim", "bin");
    expect(made.code).toBe(0);
    const program = box.path("bin/nextflow");
    const call = (...words: readonly string[]) =>
      spawnSync(program, words, {
        cwd: box.folder,
        encoding: "utf8",
        env: { ...process.env, MEMOIR_HOME: box.home },
      });
    expect(/version (\d+\.\d+\.\d+)/.exec(call("-version").stdout)?.[1]).toBe("25.10.4");
    await mkdir(box.path("t"));
    await box.write("t/params.json", JSON.stringify({ greeting: "test" }));
    await box.write("t/nextflow.config", "process.cpus = 1\n");
    await box.write(
      "t/mock.nf",
      `${hello}\nworkflow.onComplete { new File("\${params.out ?: 'done.json'}").text = groovy.json.JsonOutput.toJson([success: workflow.success]) }\n`,
    );
    const line = [
      ...["-quiet", "-log", box.path("t/nextflow.log"), "run", box.path("t/mock.nf")],
      ...["-c", box.path("t/nextflow.config"), "-params-file", box.path("t/params.json")],
      ...["-ansi-log", "false", "-with-trace", box.path("t/trace.csv"), "-w", box.path("t/work"), "-stub"],
    ];
    const ended = call(...line);
    expect([ended.status, ended.stderr]).toEqual([0, ""]);
    expect(ended.stdout).toContain("greeting test");
    expect(
      read("t/trace.csv")
        .split("\n")
        .filter((row) => row.includes("COMPLETED")),
    ).toHaveLength(3);
    expect(said(read("t/nextflow.log"), "Submitted process > ")).toHaveLength(3);
    expect(existsSync(box.path(".nextflow.log"))).toBe(false);
    await box.write("t/params.json", JSON.stringify({ greeting: null }));
    expect(call(...line.map((word) => word.replace("mock.nf", "none.nf"))).status).toBe(1);
    expect(spawnSync(box.path("bin/cwl-runner"), ["--version"], { encoding: "utf8" }).stdout).toMatch(
      /^memoir /,
    );
  });

  it("never replaces a program that Memoir has not written", async () => {
    await mkdir(box.path("bin"));
    await box.write("bin/nextflow", "#!/bin/sh\necho mine\n");
    const { code } = await box.run("shim", "bin");
    expect(code).not.toBe(0);
    expect(read("bin/nextflow")).toContain("mine");
  });
});
