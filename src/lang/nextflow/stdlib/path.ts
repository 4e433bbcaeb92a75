/** Methods of paths; properties such as `baseName` are their getters. */
import { createHash } from "node:crypto";
import { NativeClosure } from "../values/closure.ts";
import { truthOf } from "../values/compare.ts";
import { GroovyMap } from "../values/map.ts";
import { cleaned, lastPart, Path, schemeOf } from "../values/path.ts";
import { matchesWhole, Pattern } from "../values/pattern.ts";
import { textOf } from "../values/text.ts";
import { isList, type Value } from "../values/thing.ts";
import { fail } from "../values/throwable.ts";
import { bytesOf, contentOf } from "./content.ts";
import { closureAt, type Method, type Methods, textAt } from "./method.ts";
import { pathSplitMethods } from "./path-split.ts";
import { lines } from "./text.ts";
import { readerOf } from "./text-reader.ts";

function of(run: (path: Path, given: readonly Value[]) => Value): Method {
  return (self, given) =>
    self instanceof Path ? run(self, given) : fail("ClassCastException", "not a path");
}

export const pathMethods: Methods = {
  ...pathSplitMethods,
  append: of((path, given) => write(path, textAt(given, 0), "append")),
  asFile: (self) => self,
  canRead: of((path) => path.files.stat(path.absolute) !== undefined),
  copyTo: of((path, [target = null]) => {
    const to = targetOf(path, target);
    path.files.makeFolders(cleaned(`${to.absolute}/..`));
    path.files.copy(path.absolute, to.absolute);
    return to;
  }),
  createNewFile: of((path) => {
    if (path.files.stat(path.absolute) !== undefined) return false;
    path.files.write(path.absolute, "", "replace");
    return true;
  }),
  delete: of((path) => path.files.remove(path.absolute)),
  deleteDir: of((path) => path.files.remove(path.absolute)),
  eachFile: of((path, given) => eachOf(path, given, () => true)),
  eachDir: of((path, given) => eachOf(path, given, isDirectory)),
  eachFileMatch: of((path, given) =>
    eachOf(path, given.slice(1), (each) => matchesWhole(patternText(given[0] ?? ""), each.fileName)),
  ),
  eachFileRecurse: of((path, given) => {
    const closure = closureAt(given, given.length - 1);
    const visit = (folder: Path): void => {
      for (const each of children(folder)) {
        closure.call([each]);
        if (isDirectory(each)) visit(each);
      }
    };
    visit(path);
    return null;
  }),
  eachLine: of((path, given) => {
    const closure = closureAt(given, given.length - 1);
    let last: Value = null;
    for (const [index, line] of lines(contentOf(path)).entries())
      last = closure.call(closure.arity > 1 ? [line, index + 1] : [line]);
    return last;
  }),
  endsWith: of((path, given) => path.location.endsWith(textAt(given, 0))),
  exists: of((path) => path.files.stat(path.absolute) !== undefined),
  getAbsolutePath: of((path) => path.absolute),
  getAt: of(
    (path, [index = 0]) => path.location.split("/").filter((part) => part !== "")[Number(index)] ?? null,
  ),
  getBaseName: of((path, given) => {
    let name = path.fileName;
    for (let times = given[0] === undefined ? 1 : Number(given[0]); times > 0; times--) {
      const dot = name.lastIndexOf(".");
      name = dot > 0 ? name.slice(0, dot) : name;
    }
    return name;
  }),
  getBytes: of((path) => [...bytesOf(path)]),
  getExtension: of((path) => {
    const dot = path.fileName.lastIndexOf(".");
    return dot < 0 ? "" : path.fileName.slice(dot + 1);
  }),
  getFileName: of((path) => new Path(path.fileName, path.files)),
  getFileSystem: (self) => self,
  getName: of((path, given) =>
    given.length > 0
      ? new Path(path.location.split("/").filter((part) => part !== "")[Number(given[0])] ?? "", path.files)
      : path.name,
  ),
  getNameCount: of((path) => path.location.split("/").filter((part) => part !== "").length),
  getParent: of((path) => path.parent),
  getParentFile: of((path) => path.parent),
  getPath: of((path) => path.location),
  getScheme: of((path) => schemeOf(path.location) ?? "file"),
  getSimpleName: of((path) => {
    const dot = path.fileName.indexOf(".");
    return dot > 0 ? path.fileName.slice(0, dot) : path.fileName;
  }),
  getText: of((path) => contentOf(path)),
  isAbsolute: of((path) => path.isRemote || path.location.startsWith("/")),
  isDirectory: of((path) => isDirectory(path)),
  isEmpty: of((path) => {
    const found = path.files.stat(path.absolute);
    if (found === undefined) return true;
    return found.kind === "directory" ? path.files.list(path.absolute).length === 0 : found.sizeBytes === 0;
  }),
  isFile: of((path) => path.files.stat(path.absolute)?.kind === "file"),
  isHidden: of((path) => path.fileName.startsWith(".")),
  isLink: of((path) => path.files.isLink(path.absolute)),
  lastModified: of((path) => BigInt(Math.trunc(path.files.stat(path.absolute)?.modifiedMs ?? 0))),
  leftShift: of((path, given) => {
    write(path, textAt(given, 0), "append");
    return path;
  }),
  length: of((path) => BigInt(path.files.stat(path.absolute)?.sizeBytes ?? 0)),
  list: of((path) => (isDirectory(path) ? [...path.files.list(path.absolute)] : null)),
  listFiles: of((path) => (isDirectory(path) ? children(path) : null)),
  listDirectory: of((path) => children(path)),
  md5: of((path) => createHash("md5").update(bytesOf(path)).digest("hex")),
  sha256: of((path) => createHash("sha256").update(bytesOf(path)).digest("hex")),
  matches: of((path, given) => matchesWhole(patternText(given[0] ?? ""), path.text())),
  mkdir: of((path) => makeFolder(path)),
  mkdirs: of((path) => makeFolder(path)),
  mklink: of((path, given) => {
    const options = given.find((each) => each instanceof GroovyMap);
    const name = given.find((each) => !(each instanceof GroovyMap)) ?? path.fileName;
    const to = name instanceof Path ? name : new Path(textOf(name), path.files);
    const at = new Path(to.absolute, path.files);
    if (truthOf(options?.at("overwrite") ?? false)) path.files.remove(at.absolute);
    path.files.link(path.absolute, at.absolute, truthOf(options?.at("hard") ?? false) ? "hard" : "symbolic");
    return at;
  }),
  moveTo: of((path, [target = null]) => {
    const to = targetOf(path, target);
    path.files.makeFolders(cleaned(`${to.absolute}/..`));
    path.files.move(path.absolute, to.absolute);
    return to;
  }),
  normalize: of((path) => path.with(path.isRemote ? path.location : cleaned(path.location))),
  plus: of((path, given) => path.with(path.location + textAt(given, 0))),
  readLines: of((path) => lines(contentOf(path))),
  relativize: of(
    (path, [other = null]) => new Path(relative(path.absolute, pathOf(path, other).absolute), path.files),
  ),
  renameTo: of((path, [target = null]) => {
    const to = targetOf(path, target);
    path.files.move(path.absolute, to.absolute);
    return true;
  }),
  resolve: of((path, [other = null]) =>
    other instanceof Path ? path.resolve(other.location) : path.resolve(textOf(other)),
  ),
  resolveSibling: of((path, [other = null]) =>
    path.parent === null ? pathOf(path, other) : path.parent.resolve(textOf(other)),
  ),
  setBytes: of((path, [bytes = null]) => {
    if (path.isRemote)
      return fail("UnsupportedOperationException", `${path.location} cannot be written by a script`);
    const content = isList(bytes) ? Uint8Array.from(bytes, (each) => Number(each)) : textOf(bytes);
    path.files.write(path.absolute, content, "replace");
    return null;
  }),
  setText: of((path, given) => write(path, textAt(given, 0), "replace")),
  size: of((path) => {
    const found = path.files.stat(path.absolute) ?? fail("NoSuchFileException", path.location);
    return BigInt(found.sizeBytes);
  }),
  startsWith: of(
    (path, given) =>
      `${path.location}/`.startsWith(`${textAt(given, 0).replace(/\/$/, "")}/`) ||
      path.location.startsWith(textAt(given, 0)),
  ),
  subpath: of(
    (path, given) =>
      new Path(
        path.location
          .split("/")
          .filter((part) => part !== "")
          .slice(Number(given[0]), Number(given[1]))
          .join("/"),
        path.files,
      ),
  ),
  toAbsolutePath: of((path) => path.with(path.absolute)),
  toFile: (self) => self,
  toPath: (self) => self,
  toRealPath: of((path) => path.with(path.files.realPath(path.absolute))),
  toString: of((path) => path.text()),
  toUri: of((path) => (path.isRemote ? path.location : `file://${path.absolute}`)),
  toUriString: of((path) => (path.isRemote ? path.location : path.absolute)),
  newInputStream: (self) => self,
  newReader: of((path) => readerOf(path)),
  // Constructors of streams take files.
  withInputStream: of((path, given) => closureAt(given, 0).call([path])),
  withReader: of((path, given) => closureAt(given, given.length - 1).call([readerOf(path)])),
  withWriter: of((path, given) => {
    const closure = closureAt(given, given.length - 1);
    const written: string[] = [];
    const add = (end: string) => (values: readonly Value[]) => {
      written.push(textOf(values[0] ?? "") + end);
      return null;
    };
    const writer = GroovyMap.of({});
    const methods: Readonly<Record<string, (values: readonly Value[]) => Value>> = {
      write: add(""),
      print: add(""),
      append: add(""),
      println: add("\n"),
      writeLine: add("\n"),
      leftShift: add(""),
    };
    for (const [name, run] of Object.entries(methods))
      writer.put(name, new NativeClosure(1, (...values) => run(values)));
    const answer = closure.call([writer]);
    write(path, written.join(""), "replace");
    return answer;
  }),
  write: of((path, given) => write(path, textAt(given, 0), "replace")),
};

function patternText(pattern: Value): string {
  return pattern instanceof Pattern ? pattern.source : textOf(pattern);
}

function isDirectory(path: Path): boolean {
  return path.files.stat(path.absolute)?.kind === "directory";
}

function children(path: Path): Path[] {
  return path.files.list(path.absolute).map((name) => path.resolve(name));
}

function eachOf(path: Path, given: readonly Value[], wanted: (each: Path) => boolean): Value {
  for (const each of children(path)) if (wanted(each)) closureAt(given, given.length - 1).call([each]);
  return null;
}

function makeFolder(path: Path): boolean {
  if (path.files.stat(path.absolute) !== undefined) return false;
  path.files.makeFolders(path.absolute);
  return true;
}

function write(path: Path, content: string, how: "replace" | "append"): Value {
  if (path.isRemote) fail("UnsupportedOperationException", `${path.location} cannot be written by a script`);
  path.files.write(path.absolute, content, how);
  return null;
}

function pathOf(path: Path, value: Value): Path {
  if (value instanceof Path) return value;
  if (isList(value)) fail("IllegalArgumentException", "one path is expected, not a list");
  return new Path(textOf(value), path.files);
}

/** Into a folder that exists, or for a target that ends in a slash. */
function targetOf(path: Path, target: Value): Path {
  const to = pathOf(path, target);
  const into = textOf(target).endsWith("/") || to.files.stat(to.absolute)?.kind === "directory";
  return new Path(into ? `${cleaned(to.absolute)}/${lastPart(path.location)}` : to.absolute, path.files);
}

function relative(from: string, to: string): string {
  const [a, b] = [cleaned(from).split("/"), cleaned(to).split("/")];
  let common = 0;
  while (common < a.length && common < b.length && a[common] === b[common]) common++;
  return [...a.slice(common).map(() => ".."), ...b.slice(common)].join("/");
}
