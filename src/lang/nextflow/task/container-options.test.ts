import { expect, test } from "vitest";
import { readContainerOptions } from "./container-options.ts";

const nothing = { env: {}, passed: [], mounts: [], others: [] };

test.each([
  ["", nothing],
  ["-u $(id -u):$(id -g)", nothing],
  ["--rm --memory 4g --shm-size=1g -m 2g --gpus all --userns=keep-id", nothing],
  [
    "-e A=1 --env 'B=two words' --env=C=\"3\" -e HOME",
    { ...nothing, env: { A: "1", B: "two words", C: "3" }, passed: ["HOME"] },
  ],
  [
    "-v /data/ref:/ref:ro --volume=/b:/c --mount type=bind,source=/x,target=/y",
    {
      ...nothing,
      mounts: [
        { source: "/data/ref", target: "/ref" },
        { source: "/b", target: "/c" },
        { source: "/x", target: "/y" },
      ],
    },
  ],
  [
    "--platform=linux/amd64 --entrypoint '' --privileged -u root --cap-add SYS_ADMIN",
    {
      ...nothing,
      others: [
        "--platform",
        "linux/amd64",
        "--entrypoint",
        "",
        "--privileged",
        "-u",
        "root",
        "--cap-add",
        "SYS_ADMIN",
      ],
    },
  ],
])("of Docker: %s", (text, expected) => {
  expect(readContainerOptions(text, "docker")).toEqual(expected);
});

test("of Singularity: binds may be several, and -e is a switch", () => {
  expect(readContainerOptions("-e -B /a,/b:/c --nv --pwd /x", "singularity")).toEqual({
    ...nothing,
    mounts: [
      { source: "/a", target: "/a" },
      { source: "/b", target: "/c" },
    ],
    others: ["--pwd", "/x"],
  });
});
