// For the bundle: what a file takes from a folder's index.ts is imported from the file that has it. Folders are entered
// through their index.ts only, which would have every command load all of a folder of which it needs one thing: the
// bundler decides by whole files which chunk loads which.
import { readFileSync } from "node:fs";
import { dirname, join, resolve, sep } from "node:path";

/** A plugin of esbuild for the files below `folder`. */
export function directImports(folder) {
  const root = resolve(folder) + sep;
  const known = new Map();
  return {
    name: "direct-imports",
    setup: (build) =>
      build.onLoad({ filter: /\.ts$/ }, ({ path }) => {
        if (!path.startsWith(root)) return undefined;
        return { contents: withDirectImports(readFileSync(path, "utf8"), path, known), loader: "ts" };
      }),
  };
}

const importOfIndex = /^import \{([^}]*)\} from "(\.[^"]*\/index\.ts)";$/gm;

/** `known`: what was found out about each index.ts. */
export function withDirectImports(text, path, known = new Map()) {
  return text.replace(importOfIndex, (_, names, from) => {
    const index = join(dirname(path), from);
    return namesIn(names)
      .map(({ name, as }) => {
        const found = placeOf(index, name, known) ?? { path: index, name };
        const given = found.name === as ? as : `${found.name} as ${as}`;
        return `import { ${given} } from ${JSON.stringify(found.path)};`;
      })
      .join("");
  });
}

/** Of a list in braces, without types. */
function namesIn(list) {
  return list
    .split(",")
    .map((each) => each.trim())
    .filter((each) => each !== "" && !each.startsWith("type "))
    .map((each) => {
      const [name, as = name] = each.split(" as ");
      return { name, as };
    });
}

/** The file that an index.ts has a name from; undefined where the index has it itself. */
function placeOf(index, name, known) {
  if (!known.has(index)) known.set(index, exportsOf(index));
  const found = known.get(index).get(name);
  if (found === undefined || !found.path.endsWith(`${sep}index.ts`)) return found;
  return placeOf(found.path, found.name, known) ?? found;
}

function exportsOf(index) {
  const all = readFileSync(index, "utf8").matchAll(/^export \{([^}]*)\} from "(\.[^"]*\.ts)";$/gm);
  return new Map(
    [...all].flatMap(([, names, from]) =>
      namesIn(names).map(({ name, as }) => [as, { path: join(dirname(index), from), name }]),
    ),
  );
}
