// `npm run demo`: predictions, then workflows, on the embedded defaults, in a separate home that is removed at the end.
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const program = join(root, "dist", "memoir.js");
if (!existsSync(program)) {
  const built = spawnSync(process.execPath, [join(root, "scripts", "build.mjs")], {
    cwd: root,
    stdio: "inherit",
  });
  if (built.status !== 0) process.exit(built.status ?? 1);
}

const folder = mkdtempSync(join(tmpdir(), "memoir-demo-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

title("1. 2,000 molecules to try a model with");
memoir("example", "-n", "2000", "--seed", "1", "-o", "molecules.csv");

title("2. Serve a model: molecular weight (eos3b5e), built in");
memoir("serve", "molecular-weight");

title("3. The first run computes every molecule and keeps the answers");
memoir("run", "-i", "molecules.csv", "-o", "first.csv");
show("first.csv", 4);

title("4. The second run computes nothing");
memoir("run", "-i", "molecules.csv", "-o", "second.csv");
equal("first.csv", "second.csv");

title("5. From the local cache alone: what is not there is None, never computed");
memoir("run", "-i", "molecules.csv", "-o", "local.csv", "--local-cache-only");
equal("first.csv", "local.csv");

title("6. Share them: copy the answers to a cloud cache (a folder here, s3://bucket/prefix elsewhere)");
memoir("predictions", "copy", "molecular-weight", "--from", "local");
memoir("run", "-i", "molecules.csv", "-o", "cloud.csv", "--cloud-cache-only");
equal("first.csv", "cloud.csv");

title("7. Export a random sample; the seed repeats it");
memoir("dump", "--cloud-cache-only", "-n", "3", "--seed", "7", "-o", "sample.csv");
show("sample.csv", 4);
memoir("close");

title("8. A workflow: two words greeted, and the greetings joined");
const workflow = join(folder, "hello.wdl");
writeFileSync(workflow, helloWdl());
console.log("$ cat hello.wdl");
console.log(readFileSync(workflow, "utf8").trimEnd());
// Without containers, so that the demo runs anywhere; with Docker or Podman the last two flags go.
const flags = ["--cache", "./my-cache", "--executor", "host", "--cache-host-tasks"];
memoir("run", "hello.wdl", ...flags);

title("9. The same again: every task is reused");
memoir("run", "hello.wdl", ...flags);

title("10. Edit one task, and only what depends on it is computed; Memoir says why");
writeFileSync(workflow, readFileSync(workflow, "utf8").replace("sort", "sort -r"));
console.log("$ sed -i 's/sort/sort -r/' hello.wdl");
memoir("run", "hello.wdl", ...flags);
memoir("cache", "explain", "_LAST");

title("11. A Nextflow pipeline, without a JVM: counts for two sites, and both merged");
cpSync(join(root, "examples", "nextflow"), folder, { recursive: true });
memoir("run", "survey/main.nf", "--outdir", "survey-results", ...flags);
show("survey-results/survey.tsv", 5);

title("12. Another pipeline that uses the same module on the same data: its counts are those of the first");
memoir("run", "report/main.nf", "--outdir", "report-results", ...flags);
show("report-results/report.txt", 2);

console.log(`
Next steps
  npm link                             puts \`memoir\` on your PATH
  memoir catalog                       the models that are here
  memoir fetch FOLDER|GIT-URL          any model in Ersilia's layout
  memoir serve MODEL --cache-only      local cache, cloud cache, then compute
  memoir run WORKFLOW --cache DIR      your own WDL, CWL or Nextflow workflow
  memoir doctor                        what this machine has, and what is missing
`);

function title(text) {
  console.log(`\n${text}`);
}

function memoir(...words) {
  console.log(`$ memoir ${words.join(" ")}`);
  const env = { ...process.env, MEMOIR_HOME: join(folder, "home"), MEMOIR_SESSION: "demo" };
  for (const name of ["MEMOIR_LOCAL", "MEMOIR_CLOUD"]) delete env[name];
  const { status } = spawnSync(process.execPath, [program, ...words], { cwd: folder, stdio: "inherit", env });
  if (status !== 0) {
    console.error(`memoir ended with exit code ${status}`);
    process.exit(status ?? 1);
  }
}

function show(file, lines) {
  console.log(`$ head -n ${lines} ${file}`);
  console.log(readFileSync(join(folder, file), "utf8").split("\n").slice(0, lines).join("\n"));
}

function equal(a, b) {
  console.log(`$ cmp ${a} ${b}`);
  if (!readFileSync(join(folder, a)).equals(readFileSync(join(folder, b)))) {
    console.error(`${a} and ${b} differ`);
    process.exit(1);
  }
  console.log("equal, byte for byte");
}

function helloWdl() {
  return `version 1.1
task greet {
  input {
    String name
  }
  command <<<
    echo "hello ~{name}" > greeting.txt
  >>>
  output {
    File greeting = "greeting.txt"
  }
}
task join {
  input {
    Array[File] greetings
  }
  command <<<
    cat ~{sep(" ", greetings)} | sort > all.txt
  >>>
  output {
    File all = "all.txt"
  }
}
workflow hello {
  scatter (name in ["Ada", "Grace"]) {
    call greet { input: name = name }
  }
  call join { input: greetings = greet.greeting }
  output {
    Array[String] lines = read_lines(join.all)
  }
}
`;
}
