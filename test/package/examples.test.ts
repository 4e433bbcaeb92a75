/** Every project below examples/ runs as its README says: its commands in order, with the output that the page shows. */
import { cpSync, readdirSync, readFileSync } from "node:fs";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { memoirProgram, Sandbox } from "../cli/memoir.ts";
import { curlRequirement } from "../servers/curl.ts";
import { freePort } from "../servers/free-port.ts";
import { describeWith, type Requirement } from "../servers/requirement.ts";
import { makeBucket, s3Environment, s3Requirement, sharedS3 } from "../servers/s3.ts";

const folder = fileURLToPath(new URL("../../examples/", import.meta.url));

const needed: Readonly<Record<string, readonly Requirement[]>> = {
  "prediction-service": [curlRequirement],
  "team-cache": [s3Requirement],
};

/** Projects that are programs in another language have their own tests. */
const testedElsewhere = new Set(["typescript"]);

const projects = readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && !testedElsewhere.has(entry.name))
  .map(({ name }) => name);

it("there are projects, and the page lists each", () => {
  expect(projects.length).toBeGreaterThan(3);
  const page = readFileSync(join(folder, "README.md"), "utf8");
  for (const name of projects) expect(page).toContain(`[${name}](${name}/)`);
});

for (const name of projects)
  describeWith(needed[name] ?? [], `examples/${name}`, () => {
    it("does what its README shows", async () => {
      const page = readFileSync(join(folder, name, "README.md"), "utf8");
      const block = (kind: string) => new RegExp(`\`\`\`${kind}\\n(.*?)\`\`\``, "s").exec(page)?.[1] ?? "";
      expect(block("sh")).not.toBe("");
      expect(block("text")).not.toBe("");
      const box = await Sandbox.create();
      try {
        cpSync(join(folder, name), box.folder, { recursive: true });
        await mkdir(box.path("bin"));
        await writeFile(
          box.path("bin/memoir"),
          `#!/bin/sh\nexec "${process.execPath}" "${memoirProgram}" "$@"\n`,
        );
        await chmod(box.path("bin/memoir"), 0o755);
        const path = `${box.path("bin")}${delimiter}${process.env["PATH"]}`;
        const { env, commands } = await adapted(name, block("sh"));
        const { code, out, err } = box.with({ ...env, PATH: path }).shell(`set -e\n${commands}`);
        expect(`${code} ${code === 0 ? "" : err}`).toBe("0 ");
        expect(out.slice(-block("text").length)).toBe(block("text"));
      } finally {
        box.remove();
      }
    });
  });

/** The page's commands with a port and a bucket that this machine has. */
async function adapted(
  name: string,
  commands: string,
): Promise<{ env: Record<string, string>; commands: string }> {
  if (name === "prediction-service")
    return { env: {}, commands: commands.replaceAll("8080", String(await freePort())) };
  if (name !== "team-cache") return { env: {}, commands };
  const s3 = await sharedS3();
  return { env: s3Environment(s3), commands: commands.replaceAll("team-bucket", await makeBucket(s3)) };
}
