// Writes the declarations of the package's two entries and of what they reach to dist/types, for `npm pack`.
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";

const entries = ["api/index.ts", "api/extend.ts", "api/testing.ts"];
const floors = floorsOf("src/api");

const compiled = spawnSync(process.execPath, ["node_modules/typescript/bin/tsc", "-b", "src/api"], {
  stdio: ["ignore", "inherit", "inherit"],
});
if (compiled.status !== 0) process.exit(compiled.status ?? 1);

const into = `dist/types.${process.pid}.new`;
const waiting = [...entries];
const seen = new Set(waiting);
for (const file of waiting) {
  // Imports are written with the sources' names; what a user's compiler finds next to them are declarations of .js.
  const text = readFileSync(declarationOf(file), "utf8").replace(
    /((?:from|import\()\s*")(\.{1,2}\/[^"]+)\.ts"/g,
    (_, before, path) => {
      const target = relative("src", resolve("src", dirname(file), `${path}.ts`));
      if (!seen.has(target)) waiting.push(target);
      seen.add(target);
      return `${before}${path}.js"`;
    },
  );
  const path = join(into, file.replace(/\.ts$/, ".d.ts"));
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
if (seen.size < 50) throw new Error(`only ${seen.size} declarations were found`);
rmSync("dist/types", { recursive: true, force: true });
renameSync(into, "dist/types");

/** `app/workflows/run.ts` -> `src/app/build/workflows/run.d.ts` */
function declarationOf(file) {
  const floor = floors.filter((each) => file.startsWith(`${each}/`)).sort((a, b) => b.length - a.length)[0];
  if (floor === undefined) throw new Error(`${file} is on no floor that src/api may use`);
  return join("src", floor, "build", file.slice(floor.length + 1).replace(/\.ts$/, ".d.ts"));
}

/** The folder itself and what its project refers to, with what these refer to. */
function floorsOf(folder, found = new Set()) {
  const name = relative(resolve("src"), resolve(folder));
  if (found.has(name)) return [...found];
  found.add(name);
  const { references = [] } = JSON.parse(readFileSync(join(folder, "tsconfig.json"), "utf8"));
  for (const { path } of references) floorsOf(resolve(folder, path), found);
  return [...found];
}
