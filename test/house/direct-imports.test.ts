/** The bundle takes names from the files that have them, so that a command does not load all of a folder. */
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { withDirectImports } from "../../scripts/direct-imports.mjs";
import { removeFolder } from "../remove-folder.ts";

const folder = mkdtempSync(join(tmpdir(), "memoir-imports-"));
afterAll(() => removeFolder(folder));

it("what a folder's index has from another file is imported from there, by its name there", () => {
  mkdirSync(join(folder, "some", "inner"), { recursive: true });
  const index = `/** some */
export { plain, type Shape } from "./plain.ts";
export { long as short } from "./long.ts";
export {
  deep,
  type Deeper,
} from "./inner/index.ts";
export const own = 1;
`;
  writeFileSync(join(folder, "some", "index.ts"), index);
  writeFileSync(join(folder, "some", "inner", "index.ts"), 'export { hidden as deep } from "./deep.ts";\n');
  const text = `import { readFile } from "node:fs";
import { plain as here, short, type Shape } from "./some/index.ts";
import {
  deep,
  own,
} from "./some/index.ts";
import type { Deeper } from "./some/index.ts";
import { other } from "./other.ts";
`;
  const at = (name: string) => JSON.stringify(join(folder, "some", name));
  expect(withDirectImports(text, join(folder, "file.ts"))).toBe(`import { readFile } from "node:fs";
import { plain as here } from ${at("plain.ts")};import { long as short } from ${at("long.ts")};
import { hidden as deep } from ${at("inner/deep.ts")};import { own } from ${at("index.ts")};
import type { Deeper } from "./some/index.ts";
import { other } from "./other.ts";
`);
});
