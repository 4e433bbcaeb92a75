import { expect, test } from "vitest";
import { readCommandWords, readGlobalWords, runOptions } from "./words.ts";

const read = (...words: readonly string[]) => {
  const { options, params, settings, words: others } = readCommandWords(words, runOptions, "run");
  return { options: Object.fromEntries(options), params, settings, words: others };
};

test("general options end where the command begins", () => {
  const { options, command, rest } = readGlobalWords([
    "-q",
    "-log",
    "x.log",
    "-Dx=y",
    "-c",
    "a",
    "run",
    "-q",
    "m.nf",
  ]);
  expect(Object.fromEntries(options)).toEqual({ quiet: ["true"], log: ["x.log"], config: ["a"] });
  expect([command, rest]).toEqual(["run", ["-q", "m.nf"]]);
});

test("options come before and after the script, and take values where Nextflow's do", () => {
  expect(
    read("-resume", "main.nf", "-with-trace", "-profile", "a,b", "x", "-with-dag", "d.mmd", "-stub"),
  ).toEqual({
    options: { resume: ["last"], trace: ["true"], profile: ["a,b"], dag: ["d.mmd"], stub: ["true"] },
    params: [],
    settings: [],
    words: ["main.nf", "x"],
  });
  const session = "d993c60e-c5e2-4c48-b41f-b1b80dc0605a";
  expect(read("main.nf", "-resume", session).options["resume"]).toEqual([session]);
  expect(read("-ansi-log", "main.nf").words).toEqual(["main.nf"]);
  expect(read("-ansi-log", "false", "main.nf").options["ansi-log"]).toEqual(["false"]);
});

test("a parameter takes the next word unless that looks like an option", () => {
  const line = [
    "m.nf",
    "--a",
    "1",
    "--b",
    "--c=x=y",
    "--d",
    "-5",
    "--e",
    "--f g",
    "--h",
    "*",
    "--i-j.k",
    "-resume",
  ];
  expect(read(...line).params).toEqual([
    ["a", "1"],
    ["b", "true"],
    ["c", "x=y"],
    ["d", "-5"],
    ["e", "--f g"],
    ["h", "*"],
    ["i-j.k", "true"],
  ]);
});

test("settings of processes and variables are options with a dot", () => {
  expect(read("m.nf", "-process.cpus", "2", "-e.X=y z", "-process.debug").settings).toEqual([
    ["process.cpus", "2"],
    ["e.X", "y z"],
    ["process.debug", "true"],
  ]);
});

test("an unknown option and a missing value are refused", () => {
  expect(() => read("m.nf", "-profil", "x")).toThrow(/Unknown option: -profil .*did you mean -profile/);
  expect(() => read("m.nf", "-profile")).toThrow(/Expected a value after parameter -profile/);
});
