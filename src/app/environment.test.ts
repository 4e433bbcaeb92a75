import { expect, it } from "vitest";
import { readEnvironment } from "./environment.ts";

const read = (env: Readonly<Record<string, string>>) => readEnvironment({ env, cwd: "/work", parentPid: 1 });

it("the time-out of S3 servers is a whole number of seconds", () => {
  expect(read({}).s3.idleTimeoutMs).toBeUndefined();
  expect(read({ MEMOIR_S3_TIMEOUT: "" }).s3.idleTimeoutMs).toBeUndefined();
  expect(read({ MEMOIR_S3_TIMEOUT: "45" }).s3.idleTimeoutMs).toBe(45_000);
  for (const wrong of ["0", "-1", "1.5", "20s", "3601", "99999"])
    expect(() => read({ MEMOIR_S3_TIMEOUT: wrong }), wrong).toThrow(/MEMOIR_S3_TIMEOUT.*seconds/);
});
