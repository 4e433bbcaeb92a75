import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";

/**
 * The files of languages that touch the machine themselves, and why. All others do so through interfaces that they are
 * given: `AttemptFiles`, `SourceTree`, `FileAccess`, `ScriptFiles`. Imports of types do not count.
 */
const exceptions: Readonly<Record<string, string>> = {
  "core/front-end-contract.ts": "a suite of tests, which writes the documents that it loads",
  "core/reach.ts": "decides what a run may read, for which it follows links",
  "core/source-tree-bundle.ts": "is a SourceTree: of a bundle that it unpacks",
  "core/source-tree-folder.ts": "is a SourceTree: of a folder",
  "core/source-tree-http.ts": "is a part of SourceTrees: documents from the web",
  "cwl/expr/process-engine.ts": "runs JavaScript in a process, also where there is no run",
  "cwl/expr/sandbox-source.ts": "is the program of that process, which answers over a pipe",
  "cwl/values/files.ts": "inputs are also checked where there is no run that could give a FileAccess",
  "nextflow/config/config-file.ts": "configurations include others in expressions, which cannot wait",
  "nextflow/run/script-files.ts": "is ScriptFiles: scripts read files in expressions, which cannot wait",
  "wdl/run/input-values.ts": "inputs are also checked where there is no run that could give a FileAccess",
};

const machine =
  /["'](?:node:)?(?:fs|child_process|os|https?|http2|net|tls|dns|dgram|worker_threads|cluster)(?:\/\w+)?["']|\/(?:files|process|http-client|archive)\/index\.ts"|\bfetch\(|\bprocess\.(?:env|cwd|chdir)\b/;

function touchesMachine(text: string): boolean {
  return machine.test(text.replaceAll(/^import type [^;]*;$/gm, ""));
}

describe("doors of the languages", () => {
  const folder = resolve(import.meta.dirname, "../../src/lang");
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
    .filter((name) => !/(^|\/)(testing|build)\//.test(name))
    .sort();

  it("only the files that are listed with a reason touch the machine themselves", () => {
    expect(files.length).toBeGreaterThan(200);
    const found = files.filter((name) => touchesMachine(readFileSync(join(folder, name), "utf8")));
    expect(found).toEqual(Object.keys(exceptions).sort());
  });

  it.each([
    'import { readFileSync } from "node:fs";',
    'import {\n  stat,\n} from "node:fs/promises";',
    'const { spawn } = await import("node:child_process");',
    'import { homedir } from "os";',
    'import { namesIn } from "../../../files/index.ts";',
    "const answer = await fetch(address);",
    'const home = process.env["HOME"];',
  ])("%j is refused in any other", (text) => {
    expect(touchesMachine(text)).toBe(true);
  });

  it.each([
    'import type { Stats } from "node:fs";',
    'import type {\n  Dirent,\n} from "node:fs";',
    'import { join } from "node:path";',
    'import type { ScriptFiles } from "../values/files.ts";',
  ])("%j is not", (text) => {
    expect(touchesMachine(text)).toBe(false);
  });
});
