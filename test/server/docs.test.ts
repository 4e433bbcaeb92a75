/** What docs/healthomics.md says of the API is what the API is. */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { operations } from "../../src/protocol/index.ts";
import { curlRequirement } from "../servers/curl.ts";
import { describeWith } from "../servers/requirement.ts";
import { openServer } from "./harness.ts";

const page = await readFile(new URL("../../docs/healthomics.md", import.meta.url), "utf8");

it("the page names every operation", () => {
  const names = Object.keys(operations);
  expect(names).toHaveLength(41);
  expect(names.filter((name) => !new RegExp(`\\b${name}\\b`).test(page))).toEqual([]);
});

it("the page names every exception that it promises and every option of caches", () => {
  for (const name of [
    "NotSupportedOperationException",
    "memoir:resources",
    "memoir:identity",
    "memoir:write-through",
    "RUN_TIMED_OUT",
  ])
    expect(page).toContain(name);
});

describeWith([curlRequirement], "curl", () => {
  it("signs as the page shows, also paths and queries", async () => {
    const key = { accessKeyId: "AKIDCURL", secretAccessKey: "curl secret", account: "444444444444" };
    const server = await openServer({ keys: [key] });
    try {
      const user = `${key.accessKeyId}:${key.secretAccessKey}`;
      const words = ["-s", "--aws-sigv4", "aws:amz:us-east-1:omics", "--user", user];
      for (const path of ["/run", "/runCache?maxResults=5"]) {
        const { stdout } = await promisify(execFile)("curl", [...words, server.url + path]);
        expect(JSON.parse(stdout)).toEqual({ items: [] });
      }
      const { stdout } = await promisify(execFile)("curl", [...words, `${server.url}/runCache/1/size`]);
      expect(JSON.parse(stdout).message).toContain("was not found");
    } finally {
      await server.close();
    }
  });
});
