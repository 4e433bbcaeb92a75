import { expect, it } from "vitest";
import { readTesOptions } from "./tes-options.ts";

const good = { "tes-url": "https://tes.example.org", "work-prefix": "s3://bucket/work" };

it("takes addresses from options before the environment, and secrets from the environment alone", () => {
  const env = { MEMOIR_TES_URL: "http://other", MEMOIR_WORK_PREFIX: "s3://other/x", MEMOIR_TES_TOKEN: "t" };
  expect(readTesOptions(good, env)).toMatchObject({
    url: "https://tes.example.org",
    workPrefix: "s3://bucket/work",
    authorization: "Bearer t",
  });
  expect(readTesOptions({}, env)).toMatchObject({ url: "http://other", workPrefix: "s3://other/x" });
  const basic = readTesOptions(good, { MEMOIR_TES_USER: "u", MEMOIR_TES_PASSWORD: "p" });
  expect(basic.authorization).toBe("Basic dTpw");
});

it.each([
  ["no address", { "work-prefix": "s3://b/x" }, "--tes-url"],
  ["an address of something else", { ...good, "tes-url": "ftp://x" }, "--tes-url"],
  ["a password in the address", { ...good, "tes-url": "http://u:p@x" }, "MEMOIR_TES_PASSWORD"],
  ["no work prefix", { "tes-url": "http://x" }, "--work-prefix"],
  ["a folder as the work prefix", { ...good, "work-prefix": "/tmp/x" }, "s3://bucket/prefix"],
  ["no number of jobs", { ...good, "max-jobs": "0" }, "--max-jobs"],
])("refuses %s", (_, options, words) => {
  expect(() => readTesOptions(options, {})).toThrow(words);
});
