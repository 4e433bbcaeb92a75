/**
 * Environments of conda. What stands for the package manager is a program that takes the same words and makes the same
 * folders: a channel of real packages is not reachable from a test.
 */
import { chmod, mkdir } from "node:fs/promises";
import { afterEach, beforeEach, expect, it } from "vitest";
import { limitMs } from "../limit.mjs";
import { Sandbox } from "./sandbox.ts";

/** Writes a program `tool` and the record of its package, as `conda create` does. */
const manager = `#!/bin/bash
echo "$0 $*" >> "$(dirname "$0")/../made"
version=$(cat "$(dirname "$0")/../version")
while [ $# -gt 0 ]; do
  case $1 in --prefix) prefix=$2; shift ;; broken) echo "no package broken" >&2; exit 3 ;; esac
  shift
done
mkdir -p "$prefix/bin" "$prefix/conda-meta" "$prefix/etc/conda/activate.d"
printf '#!/bin/sh\\necho tool %s $ACTIVE\\n' "$version" > "$prefix/bin/tool"
chmod +x "$prefix/bin/tool"
echo '{}' > "$prefix/conda-meta/tool-$version-0.json"
echo 'export ACTIVE=active' > "$prefix/etc/conda/activate.d/tool.sh"
`;

let box: Sandbox;
beforeEach(async () => {
  box = await Sandbox.create();
  await mkdir(box.path("bin"));
  for (const name of ["conda", "micromamba"]) {
    await box.write(`bin/${name}`, manager);
    await chmod(box.path(`bin/${name}`), 0o755);
  }
  await box.write("version", "1\n");
  await box.write(
    "nextflow.config",
    "profiles { conda { conda.enabled = true; conda.channels = 'one,two' } }\n",
  );
});
afterEach(() => box.remove());

const script = (spec: string) => `process P { conda ${spec}
  input: val x
  output: stdout
  script: 'tool' }
workflow { P(channel.of(1, 2)).view { "said $it".trim() } }
`;

function run(path: string, ...words: string[]) {
  const line = ["memoir run main.nf --executor host --cache ./lab --cache-host-tasks", ...words].join(" ");
  const end = box.shell(`PATH="${path}$PATH"; ${line}`);
  const text = end.out + end.err;
  return {
    code: end.code,
    calls: [...text.matchAll(/^(reused|computed) (?:\w+:)*(\w+)/gm)]
      .map((each) => `${each[1]} ${each[2]}`)
      .sort(),
    said: [...text.matchAll(/^said (.*)/gm)].map(([, words]) => words ?? ""),
    text,
  };
}

it(
  "makes an environment once, runs tasks in it, and knows their results by its packages",
  async () => {
    const here = `${box.path("bin")}:`;
    await box.write("main.nf", script("'tool=1 other'"));
    const first = run(here, "-profile", "conda");
    expect(first).toMatchObject({ code: 0, said: ["tool 1 active", "tool 1 active"] });
    expect((await box.read("made")).trim().split("\n")).toEqual([
      expect.stringMatching(
        /conda create --yes --quiet --prefix \S+\/nextflow\/conda\/env-\w+ -c one -c two tool=1 other$/,
      ),
    ]);
    const second = run(here, "-profile", "conda");
    expect(second).toMatchObject({ code: 0, calls: ["reused P", "reused P"].slice(0, second.calls.length) });
    expect((await box.read("made")).trim().split("\n")).toHaveLength(1);
    // Another list of packages that has the same packages gives the same results.
    await box.write("env.yml", "dependencies: [tool]\n");
    await box.write("main.nf", script('"$projectDir/env.yml"'));
    await box.write("nextflow.config", "conda { enabled = true; useMicromamba = true; cacheDir = 'kept' }\n");
    expect(run(here)).toMatchObject({ code: 0, calls: second.calls });
    expect(await box.read("made")).toMatch(
      /micromamba create --yes --prefix \S+\/kept\/env-\w+ --file \S+\/env.yml\n$/,
    );
    // Other packages give other results.
    await box.write("version", "2\n");
    await box.write("env.yml", "dependencies: [tool, more]\n");
    expect(run(here)).toMatchObject({ code: 0, said: ["tool 2 active", "tool 2 active"] });
  },
  limitMs,
);

it(
  "says what is missing, and what the package manager says",
  async () => {
    await box.write("main.nf", script("'tool'"));
    const missing = run("", "-profile", "conda");
    expect(missing.code).not.toBe(0);
    expect(missing.text).toContain(
      "making the conda environment tool: conda, mamba, micromamba is not on PATH",
    );
    await box.write("main.nf", script("'broken'"));
    const broken = run(`${box.path("bin")}:`, "-profile", "conda");
    expect(broken.code).not.toBe(0);
    expect(broken.text).toContain("no package broken");
    // What has no environment runs as it would without.
    await box.write(
      "main.nf",
      "process P { output: stdout\n script: 'echo plain' }\nworkflow { P().view { \"said $it\".trim() } }\n",
    );
    expect(run("", "-profile", "conda")).toMatchObject({ code: 0, said: ["plain"] });
  },
  limitMs,
);
