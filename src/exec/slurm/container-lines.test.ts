import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { type Attempt, type ContainedTask, environmentScript } from "../core/index.ts";
import { containerScript, removalScript } from "./container-lines.ts";

const attempt: Attempt = {
  id: "memoir-a-1",
  directory: "/shared/run/a",
  shell: ["/bin/bash"],
  inputs: [],
  env: {},
  resources: { cpu: 1, memoryBytes: 0, gpu: 0 },
  network: false,
  labels: {},
};
const image = {
  requested: "tool:1",
  reference: "docker.io/library/tool@sha256:00",
  platform: "linux/amd64",
  configDigest: "sha256:11",
  manifestDigest: "sha256:00",
};
const mounts = [
  { source: "/shared/run/a", target: "/mnt/memoir", readOnly: false },
  { source: "/data/reads.fq", target: "/mnt/memoir/inputs/0/reads.fq", readOnly: true },
];
const task: ContainedTask = { attempt, image, mounts, isRoot: false, plainHttp: false };

/** The words of the program that the text becomes, as a shell reads them on a node that has only that program. */
function wordsOf(
  program: string,
  text: string,
  env: Readonly<Record<string, string>> = {},
): readonly string[] {
  const stand = `command() { [ "$2" = ${program} ]; }; ${program}() { printf '%s\\0' "$@"; env >&2; exit; }\n`;
  const isNamed = new RegExp(`exec ${program} `, "g");
  expect(text).toMatch(isNamed);
  const ran = spawnSync("/bin/sh", ["-c", stand + text.replaceAll(isNamed, `${program} `)], {
    encoding: "utf8",
    env: { PATH: "/usr/bin:/bin", ...env },
  });
  lastEnvironment = ran.stderr;
  return ran.stdout.split("\0").slice(0, -1);
}
let lastEnvironment = "";

describe("a task in a container inside its job", () => {
  it.each(["apptainer", "singularity"] as const)(
    "is run by %s with nothing of the node but what is mounted",
    (program) => {
      const words = wordsOf(program, containerScript(program, task));
      expect(words.slice(0, words.indexOf("/bin/sh"))).toEqual([
        ...[
          "exec",
          "--containall",
          "--cleanenv",
          "--no-home",
          "--writable-tmpfs",
          "--pwd",
          "/mnt/memoir/work",
        ],
        ...["--bind", "/shared/run/a:/mnt/memoir"],
        ...["--bind", "/data/reads.fq:/mnt/memoir/inputs/0/reads.fq:ro"],
        "docker://docker.io/library/tool@sha256:00",
      ]);
      expect(words.slice(words.indexOf("/bin/sh"), words.indexOf("/bin/sh") + 3)).toEqual([
        ...["/bin/sh", "-c", '. /mnt/memoir/job/env && exec /bin/sh "$@"'],
      ]);
      expect(words.slice(-2)).toEqual(["/bin/bash", "/mnt/memoir/command"]);
    },
  );

  it("takes nothing from variables of the job that would add to a container", () => {
    const env = {
      APPTAINER_BIND: "/secret",
      APPTAINER_BINDPATH: "/secret",
      SINGULARITYENV_SECRET: "x",
      APPTAINERENV_A1: "x",
      APPTAINER_CACHEDIR: "/cache",
    };
    wordsOf("apptainer", containerScript("apptainer", task), env);
    expect(lastEnvironment).not.toMatch(/secret|SECRET|A1/);
    expect(lastEnvironment).toContain("APPTAINER_CACHEDIR=/cache");
  });

  it("mounts paths with any character, and GPUs where a task asks for them", () => {
    const odd = { source: '/data/a,"b":c', target: "/mnt/memoir/inputs/0/b", readOnly: true };
    const more: ContainedTask = {
      ...task,
      mounts: [odd],
      attempt: { ...attempt, resources: { ...attempt.resources, gpu: 1 } },
    };
    const apptainer = wordsOf("apptainer", containerScript("apptainer", more));
    expect(apptainer).toContain('type=bind,"source=/data/a,""b"":c",destination=/mnt/memoir/inputs/0/b,ro');
    expect(apptainer).toContain("--nv");
    const podman = wordsOf("podman", containerScript("podman", more));
    expect(podman).toContain('--mount=type=bind,"source=/data/a,""b"":c",target=/mnt/memoir/inputs/0/b,ro');
    expect(podman).toContain("--device=nvidia.com/gpu=all");
  });

  it("is run by Podman without a network unless it asks for one, under limits that a job may set", () => {
    const words = wordsOf("podman", containerScript("podman", task));
    expect(words).toContain("--network=none");
    expect(words).toContain("--name=memoir-a-1");
    expect(words).toContain("--http-proxy=false");
    expect(words.filter((word) => /^--ulimit=(nofile|nproc)=\d+:\d+$/.test(word))).toHaveLength(2);
    const asks = { ...task, attempt: { ...attempt, network: true } };
    expect(wordsOf("podman", containerScript("podman", asks))).toContain("--network=host");
    expect(removalScript("memoir-a-1")).toContain("podman rm --force --ignore --time 0 'memoir-a-1'");
  });

  it("takes the first program that a node has, and Charliecloud only where it is chosen", () => {
    const text = containerScript("auto", task);
    for (const program of ["apptainer", "singularity", "podman"])
      expect(wordsOf(program, text)).toContain(
        program === "podman"
          ? "docker.io/library/tool@sha256:00"
          : "docker://docker.io/library/tool@sha256:00",
      );
    expect(text).not.toContain("ch-run");
    expect(containerScript("charliecloud", task)).toContain("'--private-tmp' '--no-passwd'");
  });

  it("begins in the working directory that the call names", () => {
    const words = wordsOf(
      "podman",
      containerScript("podman", { ...task, attempt: { ...attempt, workDir: "/w" } }),
    );
    expect(words.slice(-6)).toEqual([
      ...["/bin/sh", "-c", 'cd "$0" && exec "$@"', "/w", "/bin/bash", "/mnt/memoir/command"],
    ]);
  });

  it("gets values of variables whatever is in them", () => {
    const env = { QUOTES: `"'$HOME\`\\`, LINES: "one\ntwo\n", EMPTY: "" };
    const ran = spawnSync(
      "/bin/sh",
      ["-c", `${environmentScript(env)}printf '[%s]' "$QUOTES" "$LINES" "$EMPTY"`],
      {
        encoding: "utf8",
      },
    );
    expect(ran.stdout).toBe(`[${env.QUOTES}][${env.LINES}][]`);
  });
});
