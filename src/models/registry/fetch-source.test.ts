import { expect, test } from "vitest";
import { isAppError } from "../../kernel/index.ts";
import { parseFetchSource } from "./fetch-source.ts";

const cwd = "/work dir";

test.each([
  ["eos4e40", { kind: "git", url: "https://github.com/ersilia-os/eos4e40" }],
  ["https://github.com/ersilia-os/eos4e40", { kind: "git", url: "https://github.com/ersilia-os/eos4e40" }],
  ["https://git.example.org/m.git", { kind: "git", url: "https://git.example.org/m.git" }],
  ["git@github.com:me/model.git", { kind: "git", url: "git@github.com:me/model.git" }],
  ["ssh://git@host/model", { kind: "git", url: "ssh://git@host/model" }],
  ["file:///data/model", { kind: "git", url: "file:///data/model" }],
  ["https://host/a/model.tar.gz?x=1", { kind: "archive", location: "https://host/a/model.tar.gz?x=1" }],
  [
    "https://github.com/a/b/archive/main.zip",
    { kind: "archive", location: "https://github.com/a/b/archive/main.zip" },
  ],
  ["model.tgz", { kind: "archive", location: "/work dir/model.tgz" }],
  ["/data/model.ZIP", { kind: "archive", location: "/data/model.ZIP" }],
  ["http://127.0.0.1:8080", { kind: "server", url: "http://127.0.0.1:8080" }],
  ["my-model", { kind: "folder", path: "/work dir/my-model" }],
  ["../eos3b5e", { kind: "folder", path: "/eos3b5e" }],
  [".", { kind: "folder", path: "/work dir" }],
])("%s is understood", (text, source) => {
  expect(parseFetchSource(text, { cwd })).toEqual(source);
});

test("a version chooses a tag of a git source and is refused for all others", () => {
  expect(parseFetchSource("eos4e40", { cwd, version: "v2.0.0" })).toMatchObject({
    kind: "git",
    ref: "v2.0.0",
  });
  for (const text of ["folder", "m.zip", "http://localhost:1"]) {
    expect(() => parseFetchSource(text, { cwd, version: "v1" })).toThrow(/only from a git repository/);
  }
});

test.each(["", "   ", "http://"])("%j is refused", (text) => {
  try {
    parseFetchSource(text, { cwd });
    expect.unreachable();
  } catch (error) {
    expect(isAppError(error, "MODEL_SOURCE_INVALID")).toBe(true);
  }
});
