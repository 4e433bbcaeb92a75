import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, it } from "vitest";

const root = resolve(import.meta.dirname, "../..");

/** Files inside a package, which its versions promise nothing about. */
const deep = /(?:from |import\()"((?:@[\w-]+\/)?[\w-]+)\/src\//g;

it("packages whose inner files are imported are pinned to one version", () => {
  const names = new Set<string>();
  for (const name of readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" }))
    if (name.endsWith(".ts") && !name.includes("/build/"))
      for (const [, found = ""] of readFileSync(join(root, "src", name), "utf8").matchAll(deep))
        names.add(found);
  expect([...names].sort()).toEqual(["hyparquet", "hyparquet-writer"]);
  const { dependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    readonly dependencies: Readonly<Record<string, string>>;
  };
  const loose = [...names].filter((name) => !/^\d+\.\d+\.\d+$/.test(dependencies[name] ?? ""));
  expect(loose).toEqual([]);
});
