import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { removeFolder } from "../../test/remove-folder.ts";
import { freshAsk, pause } from "../kernel/index.ts";
import { createGroupStarter, type GroupStarter } from "./group-starter.ts";
import { isThere } from "./signal-group.ts";

const env = { PATH: process.env["PATH"] ?? "/usr/bin:/bin" };
let folder: string;
let starter: GroupStarter;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "memoir-starter-"));
});
afterEach(async () => {
  await starter?.close();
  removeFolder(folder);
});

/** Scripts run their words as a command, behind variables where `--` follows them. */
const shells = {
  bash: {
    path: "/bin/bash",
    script: 'case "$1" in *=*) ( start "$@" ); exit $? ;; esac; "$@"; exit $?',
    killed: { kind: "signalled" },
  },
  perl: {
    path: "/usr/bin/perl",
    script: `sub enter { while ($_[0] =~ /=/) { my ($n, $v) = split /=/, shift, 2; $ENV{$n} = $v } shift if $_[0] eq '--'; @_ }
      sub leave { my ($s) = @_; $s & 127 ? 128 + ($s & 127) : $s >> 8 }`,
    killed: { kind: "exited", exitCode: 137 },
  },
} as const;
const kinds = (["bash", "perl"] as const).filter((kind) => existsSync(shells[kind].path));

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await pause(10, freshAsk());
}

const read = (name: string) => readFileSync(join(folder, name), "utf8");
const sh = (text: string) => ["sh", "-c", text];
const nothing = () => {};

describe.each(kinds)("a starter in %s", (kind) => {
  const choice = { shell: { kind, path: shells[kind].path }, script: shells[kind].script };
  beforeEach(() => {
    starter = createGroupStarter({ ...choice, env, graceMs: 5_000 });
  });

  it("reports exit codes, of many groups at the same time", async () => {
    const codes = Array.from({ length: 30 }, (_, i) => i);
    const ends = await Promise.all(
      codes.map((code) => starter.run({ words: sh(`exit ${code}`) }, nothing, freshAsk())),
    );
    expect(ends).toEqual(codes.map((exitCode) => ({ kind: "exited", exitCode })));
  });

  it("hands words on as they are", async () => {
    const words = [
      "",
      "a b",
      "it's",
      '$HOME `id` \\ "q"',
      "two\nlines\n",
      "$'x'",
      "'",
      "*",
      "ü",
      "a=b",
      "#",
      " lead",
    ];
    const text = `for word; do printf '<%s>' "$word"; done > ${join(folder, "words")}`;
    await starter.run({ words: ["sh", "-c", text, "sh", ...words] }, nothing, freshAsk());
    expect(read("words")).toBe(words.map((word) => `<${word}>`).join(""));
  });

  it("a command that the script becomes gets its variables, and not the socket", async () => {
    const text = `printf '%s' "$ONE|$PATH" > ${join(folder, "env")}; ls /proc/$$/fd > ${join(folder, "fds")}`;
    const end = await starter.run({ words: ["ONE=1 = \n'2'", "--", ...sh(text)] }, nothing, freshAsk());
    expect(end).toEqual({ kind: "exited", exitCode: 0 });
    expect(read("env")).toBe(`1 = \n'2'|${env.PATH}`);
    expect(read("fds").split("\n")).not.toContain("9");
  });

  it("ends what a script leaves running in its group", async () => {
    const pids: number[] = [];
    const end = await starter.run({ words: sh("sleep 600 &") }, (pid) => pids.push(pid), freshAsk());
    expect(end).toEqual({ kind: "exited", exitCode: 0 });
    await until(() => !isThere(-(pids[0] ?? 0)));
  });

  it("a cancelled group gets TERM, and KILL when it stays", async () => {
    for (const [name, text] of [
      ["polite", "trap 'echo TERM > said; exit 0' TERM; echo > began; while :; do sleep 0.05; done"],
      ["stubborn", "trap '' TERM; echo > began; while :; do sleep 0.05; done"],
    ] as const) {
      const controller = new AbortController();
      const pids: number[] = [];
      const script = `mkdir ${join(folder, name)}; cd ${join(folder, name)}; ${text}`;
      const end = starter.run({ words: sh(script) }, (pid) => pids.push(pid), { signal: controller.signal });
      await until(() => existsSync(join(folder, name, "began")));
      controller.abort();
      expect(await end, name).toEqual({ kind: "cancelled" });
      await until(() => !isThere(-(pids[0] ?? 0)));
    }
    expect(read("polite/said")).toBe("TERM\n");
  });

  it("reports that the first process of a group was killed", async () => {
    expect(await starter.run({ words: sh("kill -KILL 0") }, nothing, freshAsk())).toEqual(
      shells[kind].killed,
    );
  });

  it("when the starter dies, its groups end with it, and the next one has a new starter", async () => {
    const pids: number[] = [];
    const leader = `echo $PPID > ${join(folder, "leader")}; sleep 600`;
    const end = starter.run({ words: sh(leader) }, (pid) => pids.push(pid), freshAsk());
    await until(() => existsSync(join(folder, "leader")) && pids.length > 0);
    // The leader's parent is the starter.
    const stat = readFileSync(`/proc/${pids[0]}/stat`, "utf8");
    process.kill(Number(stat.slice(stat.lastIndexOf(")")).split(" ")[2]), "SIGKILL");
    expect(await end).toEqual({ kind: "lost" });
    await until(() => !isThere(-(pids[0] ?? 0)));
    expect(await starter.run({ words: sh("exit 3") }, nothing, freshAsk())).toEqual({
      kind: "exited",
      exitCode: 3,
    });
  });

  it("kill -9 of the process that uses it ends every group, by TERM and then KILL", async () => {
    const module = join(folder, "starter.mjs");
    const { build } = await import("esbuild");
    await build({
      entryPoints: [join(import.meta.dirname, "group-starter.ts")],
      outfile: module,
      bundle: true,
      format: "esm",
      platform: "node",
      logLevel: "error",
    });
    const script = `
    import { createGroupStarter } from ${JSON.stringify(module)};
    const starter = createGroupStarter({ ...${JSON.stringify(choice)}, env: { PATH: process.env.PATH }, graceMs: 5000 });
    for (const text of ["trap 'echo > ${join(folder, "polite")}; exit' TERM;", "trap '' TERM;"])
      starter.run({ words: ["sh", "-c", text + " echo > ${folder}/$$; while :; do sleep 0.05; done"] },
        (pid) => console.log(pid), { signal: new AbortController().signal });`;
    const user = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let output = "";
    user.stdout.on("data", (text) => {
      output += text;
    });
    const pids = () => output.trim().split("\n").map(Number);
    await until(() => output.split("\n").length > 2);
    const { readdirSync } = await import("node:fs");
    await until(() => readdirSync(folder).filter((name) => /^\d+$/.test(name)).length === 2);
    user.kill("SIGKILL");
    await once(user, "exit");
    await until(() => pids().every((pid) => !isThere(-pid)));
    expect(existsSync(join(folder, "polite"))).toBe(true);
  });
});
