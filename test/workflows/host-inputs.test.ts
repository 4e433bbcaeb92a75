/**
 * Tasks on the plain host and what they are given: whatever a task does to its inputs, the user's files and those of a
 * cache stay as they are; and a task sees its inputs as files and folders, and nobody's secrets.
 */
import { spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { memoirProgram } from "../cli/memoir.ts";
import { bubblewrapRequirement } from "../servers/bubblewrap.ts";
import { guardRequirement } from "../servers/guard.ts";
import { describeWith, missingOf, type Requirement } from "../servers/requirement.ts";
import { type RunAnswer, Sandbox } from "./sandbox.ts";

const nobody = 65534;

let box: Sandbox;
beforeEach(async () => {
  box = await Sandbox.create();
  chmodSync(box.folder, 0o777);
});
afterEach(() => box.remove());

interface Place {
  readonly title: string;
  readonly flags: readonly string[];
  readonly as: "this user" | "nobody";
  readonly hides: boolean;
  readonly needs: readonly Requirement[];
}

const otherUser: Requirement = {
  name: "another user",
  programs: ["setpriv"],
  debianPackages: ["util-linux"],
  needsRoot: true,
};

const host = ["--executor", "host"];
const places: readonly Place[] = [
  { title: "with the guard", flags: host, as: "this user", hides: true, needs: [guardRequirement] },
  {
    title: "with the guard, as an unprivileged user",
    flags: host,
    as: "nobody",
    hides: true,
    needs: [guardRequirement, otherUser],
  },
  { title: "without namespaces", flags: [...host, "--no-guard"], as: "this user", hides: false, needs: [] },
  {
    title: "without namespaces, as an unprivileged user",
    flags: [...host, "--no-guard"],
    as: "nobody",
    hides: false,
    needs: [otherUser],
  },
  {
    title: "isolated",
    flags: [...host, "--isolate"],
    as: "this user",
    hides: true,
    needs: [bubblewrapRequirement],
  },
];

async function run(place: Place, ...words: readonly string[]): Promise<RunAnswer & { readonly err: string }> {
  const memoir = [memoirProgram, "run", "main.wdl", ...place.flags, ...words, "--json"];
  const demoted = ["setpriv", `--reuid=${nobody}`, `--regid=${nobody}`, "--clear-groups", process.execPath];
  const [program = "", ...args] =
    place.as === "nobody" ? [...demoted, ...memoir] : [process.execPath, ...memoir];
  const child = spawn(program, args, {
    cwd: box.folder,
    env: { ...box.env(), MEMOIR_HOME: box.path(`home-${place.as}`), RUNNER_SECRET: "do-not-show" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let out = "";
  let err = "";
  child.stdout.setEncoding("utf8").on("data", (text) => {
    out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text) => {
    err += text;
  });
  const code = await new Promise((resolve) => child.on("close", resolve));
  if (out === "") throw new Error(`ended with ${code}:\n${err}`);
  return { ...(JSON.parse(out) as RunAnswer), err };
}

/** A task with a file, a big file and a folder; what it says is the output. */
const document = (command: string) => `version 1.2
task t {
  input { File notes  File big  Directory d }
  command <<<
${command}
  >>>
  output { Array[String] said = read_lines(stdout()) }
}
workflow w { input { File notes  File big  Directory d } call t { input: notes = notes, big = big, d = d } output { Array[String] said = t.said } }
`;

async function prepare(command: string, { as }: Place): Promise<void> {
  await box.write("main.wdl", document(command));
  mkdirSync(box.path("data/d/sub"), { recursive: true });
  writeFileSync(box.path("data/notes.txt"), "first\n");
  writeFileSync(box.path("data/big.txt"), "big\n".repeat(500_000));
  writeFileSync(box.path("data/d/a.txt"), "A\n");
  writeFileSync(box.path("data/d/sub/b.txt"), "B\n");
  writeFileSync(box.path("data/other.txt"), "other\n");
  symlinkSync(box.path("data/other.txt"), box.path("data/d/link.txt"));
  symlinkSync("a.txt", box.path("data/d/inner.txt"));
  await box.write(
    "in.json",
    JSON.stringify({ "w.notes": "data/notes.txt", "w.big": "data/big.txt", "w.d": "data/d" }),
  );
  if (as === "nobody")
    for (const name of [
      "data",
      ...readdirSync(box.path("data"), { recursive: true, encoding: "utf8" }).map((each) =>
        join("data", each),
      ),
    ])
      if (!lstatSync(box.path(name)).isSymbolicLink()) chownSync(box.path(name), nobody, nobody);
}

/** Everything that a task could have changed. */
function snapshot(): readonly string[] {
  return readdirSync(box.path("data"), { recursive: true, encoding: "utf8" })
    .sort()
    .map((name) => {
      const path = box.path(join("data", name));
      const facts = lstatSync(path);
      return [
        name,
        facts.mode,
        facts.ino,
        facts.mtimeMs,
        facts.isFile() ? readFileSync(path, "utf8") : "",
      ].join(" ");
    });
}

for (const place of places)
  describeWith(place.needs, `a host task ${place.title}`, () => {
    it.each([
      [
        "appends",
        "echo more >> ~{notes}; echo more >> ~{big}; echo more >> ~{d}/a.txt; echo more >> ~{d}/link.txt; echo more >> ~{d}/inner.txt",
      ],
      [
        "edits in place",
        "sed -i s/first/second/ ~{notes}; sed -i s/big/small/ ~{big}; sed -i s/A/Z/ ~{d}/a.txt; sed -i s/o/x/ ~{d}/link.txt",
      ],
      ["moves away", "mv ~{d}/a.txt taken.txt; mv ~{big} .; mv ~{notes} .; mv ~{d} moved"],
      ["touches", "touch ~{d}/made ~{notes} ~{big} ~{d}/a.txt ~{d}/link.txt"],
      ["removes", "rm -f ~{notes} ~{big}; rm -rf ~{d}/* ~{d}"],
      ["changes the modes", "chmod 777 ~{notes} ~{big}; chmod -R 777 ~{d}"],
      [
        "empties",
        ": > ~{notes}; : > ~{big}; : > ~{d}/a.txt; : > ~{d}/link.txt; truncate -s 0 ~{d}/sub/b.txt",
      ],
      [
        "makes hard links and writes through them",
        "ln ~{notes} n && echo x >> n; ln ~{big} b && echo x >> b; ln ~{d}/a.txt a && echo x >> a; ln ~{d}/link.txt l && echo x >> l",
      ],
    ])("that %s harms no file of its user", async (_what, command) => {
      await prepare(`${command}\nexit 0`, place);
      const before = snapshot();
      const { state } = await run(place, "-i", "in.json", "--no-cache");
      expect(state).toBe("succeeded");
      expect(snapshot()).toEqual(before);
    });

    it("sees files as files and folders as folders", async () => {
      await prepare(
        `find ~{d} -type f -name '[ab].txt' | wc -l
tar -cf t.tar -C "$(dirname ~{d})" "$(basename ~{d})/a.txt" "$(basename ~{d})/sub" && tar -tf t.tar | wc -l
stat -c %s ~{notes} ~{big}
cp -r ~{d} copy && find copy -type f -name '[ab].txt' | wc -l
cp -a ~{notes} n && [ -f n ] && [ ! -L n ] && cat n`,
        place,
      );
      const { outputs } = await run(place, "-i", "in.json", "--no-cache");
      expect(outputs["w.said"]).toEqual(["2", "3", "6", "2000000", "2", "first"]);
    });

    it("moves, packs and changes copies of its inputs with --copy-inputs", async () => {
      await prepare(
        "mv ~{notes} taken.txt && gzip ~{big} && gzip -dc ~{big}.gz | wc -l; echo more >> ~{d}/a.txt; mv ~{d} moved; cat taken.txt moved/a.txt",
        place,
      );
      const before = snapshot();
      const { outputs } = await run(place, "-i", "in.json", "--no-cache", "--copy-inputs");
      expect(outputs["w.said"]).toEqual(["500000", "first", "A", "more"]);
      expect(snapshot()).toEqual(before);
    });

    if (place.hides)
      it("finds no secret of the one who runs it, in any environment that it can read", async () => {
        await prepare(
          `cat /proc/[0-9]*/environ /proc/[0-9]*/task/*/environ 2> /dev/null | tr '\\0' '\\n' | grep -c do-not-show
env | grep -c do-not-show
exit 0`,
          place,
        );
        const { outputs } = await run(place, "-i", "in.json", "--no-cache");
        expect(outputs["w.said"]).toEqual(["0", "0"]);
      });
    else
      it("is run with a word on what is not hidden", async () => {
        await prepare("true", place);
        const { state, err } = await run(place, "-i", "in.json", "--no-cache");
        expect(state).toBe("succeeded");
        expect(err).toContain("environment of other processes");
      });
  });

const root: Requirement = {
  name: "mounts",
  programs: ["mount", "umount"],
  debianPackages: ["mount"],
  needsRoot: true,
};

describeWith([root], "an input folder in which other file systems are mounted", () => {
  const points = ["mounted", "mounted/d/sub", "mounted/d/sub/deep"];
  afterEach(() => {
    for (const point of [...points].reverse()) spawnSync("umount", [box.path(point)]);
  });

  // Places whose needs are not met here are named as skipped by the suites above.
  const here = places.filter(({ flags, needs }) => !flags.includes("--isolate") && !needs.some(missingOf));
  it.each(here)("is whole for a task $title, and cannot be written to", async (place) => {
    for (const point of points) {
      mkdirSync(box.path(point), { recursive: true });
      const words = ["-t", "tmpfs", "-o", "nosuid,nodev,noatime,mode=777", "none", box.path(point)];
      expect(spawnSync("mount", words).status).toBe(0);
      writeFileSync(box.path(`${point}/file`), `${point}\n`);
      chmodSync(box.path(`${point}/file`), 0o666);
    }
    chmodSync(box.path("mounted/d"), 0o777);
    writeFileSync(box.path("mounted/d/file"), "d\n");
    await box.write(
      "main.wdl",
      `version 1.2
task t { input { Directory d }
  command <<< cat ~{d}/sub/file ~{d}/sub/deep/file; for f in ~{d}/file ~{d}/sub/file ~{d}/sub/deep/file; do echo x >> $f; touch $f.new; done; exit 0 >>>
  output { Array[String] said = read_lines(stdout()) } }
workflow w { input { Directory d } call t { input: d = d } output { Array[String] said = t.said } }`,
    );
    const { outputs } = await run(place, `d=${box.path("mounted/d")}`, "--no-cache");
    expect(outputs["w.said"]).toEqual(["mounted/d/sub", "mounted/d/sub/deep"]);
    for (const [folder, text] of [
      ["d", "d"],
      ["d/sub", "mounted/d/sub"],
      ["d/sub/deep", "mounted/d/sub/deep"],
    ]) {
      expect(readFileSync(box.path(`mounted/${folder}/file`), "utf8")).toBe(`${text}\n`);
      expect(readdirSync(box.path(`mounted/${folder}`))).not.toContain("file.new");
    }
  });
});

describeWith([guardRequirement], "a host task that stumbles on an input that is mounted", () => {
  it("fails with words that name the input and what helps", async () => {
    const place = places[0] as Place;
    await prepare("mv ~{big} elsewhere", place);
    const { failures } = await run(place, "-i", "in.json", "--no-cache");
    expect(failures[0]?.failure?.message).toContain("big.txt");
    expect(failures[0]?.failure?.message).toContain("--copy-inputs");
  });
});

describe("what decides a host task and is not an input", () => {
  const cached = [...host, "--cache", "./cache", "--cache-host-tasks"];
  const said = async (sandbox: Sandbox, ...words: readonly string[]) => {
    const { outputs, calls } = await sandbox.json<RunAnswer>("run", "env.wdl", ...cached, ...words);
    return { said: outputs["t.said"], reused: calls.reused };
  };
  const task = (command: string) =>
    box.write(
      "env.wdl",
      `version 1.2\ntask t { command <<< ${command} >>> output { String said = read_string(stdout()) } }`,
    );

  it("is not passed on, or is a separate folder", async () => {
    await task('echo "$USER$LOGNAME $(umask)"; cd "$HOME" && cd "$TMPDIR" && pwd');
    const { said: text } = await said(box.with({ USER: "ada", LOGNAME: "ada", HOME: "/", TMPDIR: "/tmp" }));
    expect(text).toMatch(/^ 0022\n.+\/tmp$/);
  });

  it("is handed on and decides with --env: by name, and by value", async () => {
    await task('echo "$NAME $OTHER $HOME"');
    const ada = box.with({ NAME: "Ada", HOME: "/" });
    const words = ["--env", "NAME", "--env", "OTHER=x=y", "--env", "HOME"];
    expect(await said(ada, ...words)).toEqual({ said: "Ada x=y /", reused: 0 });
    expect(await said(ada, ...words)).toEqual({ said: "Ada x=y /", reused: 1 });
    expect(await said(box.with({ NAME: "Bob", HOME: "/" }), ...words)).toEqual({
      said: "Bob x=y /",
      reused: 0,
    });
    const missing = await box.run("run", "env.wdl", ...cached, "--env", "NOT_SET_ANYWHERE");
    expect(missing.code).toBe(2);
    expect(missing.err).toContain("NOT_SET_ANYWHERE");
  });

  it("is in its key: PATH with its order, and LD_LIBRARY_PATH", async () => {
    await task("echo");
    const path = process.env["PATH"] ?? "";
    const one = box.with({ PATH: `${path}:/one:/two` });
    expect((await said(one)).reused).toBe(0);
    expect((await said(one)).reused).toBe(1);
    expect((await said(box.with({ PATH: `${path}:/two:/one` }))).reused).toBe(0);
    expect((await said(box.with({ PATH: `${path}:/one:/two`, LD_LIBRARY_PATH: "/x" }))).reused).toBe(0);
  });
});

describe("a task that takes away what Memoir needs of it", () => {
  it.each([
    ["its standard output", "rm ../stdout; echo lost", "stdout"],
    ["its standard error", "rm ../stderr", "stderr"],
    ["its standard output, with a folder in its place", "rm ../stdout; mkdir ../stdout", "stdout"],
    [
      "its standard output, with a link in its place",
      "rm ../stdout; ln -s /etc/hostname ../stdout",
      "stdout",
    ],
    ["its standard error, with a pipe in its place", "rm ../stderr; mkfifo ../stderr", "stderr"],
    ["the place of its exit code", "mkdir ../rc", "rc"],
    ["its working directory", 'rm -rf "$PWD"', "work"],
    ["everything in its folder", "rm -rf ../*", "work"],
    ["its own folder", 'd=$(cd .. && pwd); rm -rf "$d"', "folder"],
  ])("fails with words that name it: %s", async (_what, command, word) => {
    await box.write(
      "main.wdl",
      `version 1.2\ntask spoiled { command <<< ${command} ; true >>> output { String said = read_string(stdout()) } }`,
    );
    const { code, out } = await box.run("run", "main.wdl", ...host, "--no-cache", "--json");
    expect(code).toBe(1);
    const { failures } = JSON.parse(out) as RunAnswer;
    expect(failures[0]?.call).toBe("spoiled");
    expect(failures[0]?.failure?.message).toContain(word);
  });
});

describeWith([guardRequirement], "a host task that kills the process that supervises it", () => {
  it("is lost, and the run ends", async () => {
    await box.write(
      "main.wdl",
      "version 1.2\ntask killer { command <<< kill -KILL $PPID; true >>> output { Int one = 1 } }",
    );
    const { code, out } = await box.run("run", "main.wdl", ...host, "--no-cache", "--json");
    expect(code).toBe(1);
    const { failures } = JSON.parse(out) as RunAnswer;
    expect(failures[0]?.failure?.message).toContain("has died");
  });
});

describe("a cache that host tasks read", () => {
  it("keeps its files whatever the tasks do to them", async () => {
    await box.write(
      "main.wdl",
      `version 1.2
task make { command <<< for n in $(seq 500000); do echo line; done > big.txt; echo small > small.txt; mkdir d; echo A > d/a.txt >>>
  output { File big = "big.txt" File small = "small.txt" Directory d = "d" } }
task harm { input { File big File small Directory d Int n }
  command <<< echo ~{n}; chmod u+w ~{big} ~{small} ~{d}/a.txt; echo x >> ~{big}; echo x >> ~{small}; echo x >> ~{d}/a.txt; rm -rf ~{d}; exit 0 >>>
  output { String said = read_string(stdout()) } }
workflow w { input { Int n } call make call harm { input: n = n, big = make.big, small = make.small, d = make.d } output { String said = harm.said } }`,
    );
    const cached = [...host, "--cache", "./cache", "--cache-host-tasks"];
    for (const n of [1, 2]) {
      const { state } = await box.json<RunAnswer>("run", "main.wdl", `n=${n}`, ...cached);
      expect(state).toBe("succeeded");
    }
    const { code, out, err } = await box.run("cache", "verify", "./cache", "--json");
    expect(code, out + err).toBe(0);
  });
});
