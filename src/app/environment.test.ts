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

it("a token is one word, whatever white space a program has put around it", () => {
  expect(read({ MEMOIR_CLOUD_TOKEN: "" }).cloudToken).toBeUndefined();
  expect(read({ MEMOIR_CLOUD_TOKEN: " abc+/=._~-\n" }).cloudToken).toBe("abc+/=._~-");
  for (const wrong of ["a\nb", "a b", "caf\u00e9", "a\u0000", " "])
    expect(() => read({ MEMOIR_CLOUD_TOKEN: wrong }), wrong).toThrow(/MEMOIR_CLOUD_TOKEN.*one word/);
});
