/** Where the results of a task are brought by `publishDir`. */
import { defined } from "../../../kernel/index.ts";
import type { FileValue } from "../../../task/index.ts";
import type { PublishOrder } from "../../core/index.ts";
import { globMatches } from "../channels/glob.ts";
import { Closure, type Delegate } from "../values/closure.ts";
import { truthOf } from "../values/compare.ts";
import { GroovyMap } from "../values/map.ts";
import { cleaned, Path } from "../values/path.ts";
import { textOf } from "../values/text.ts";
import { isList, type Value } from "../values/thing.ts";
import { illegal } from "../values/throwable.ts";
import type { Rules } from "../versions.ts";
import { linkMember, pathMember } from "./collect.ts";
import { evaluated } from "./directives.ts";

export interface Publication {
  readonly file: FileValue;
  readonly order: PublishOrder;
  readonly failOnError: boolean;
}

export interface PublishContext {
  readonly context: Delegate;
  readonly launchDir: string;
  readonly call: string;
  /** Whether the task's results were there already. */
  readonly reused: boolean;
  /** What `mode` is unless it is set. */
  readonly mode: "symlink" | "rellink";
  /** What `failOnError` is unless it is set. */
  readonly failOnError: boolean;
  readonly rules: Pick<Rules, "comparesPublished">;
}

/** Folders of directives that publish something, whether or not a file matches. */
export function publishFolders(directives: readonly Value[], given: PublishContext): readonly string[] {
  return directives.flatMap((each) => {
    const target = targetOf(each, given);
    return target === undefined ? [] : [target.folder];
  });
}

export function publications(
  directives: readonly Value[],
  files: readonly FileValue[],
  given: PublishContext,
): readonly Publication[] {
  return directives.flatMap((each) => ofDirective(each, outermost(files), given));
}

/** What is in a folder that is a result itself is published with it. */
function outermost(files: readonly FileValue[]): readonly FileValue[] {
  const names = new Map(files.map((each) => [nameOf(each), each] as const));
  return [...names]
    .filter(([name]) => ![...names.keys()].some((other) => name.startsWith(`${other}/`)))
    .map(([, file]) => file);
}

function nameOf(file: FileValue): string {
  const path = file.extra?.[pathMember];
  return typeof path === "string" ? path : file.basename;
}

interface Target {
  readonly folder: string;
  readonly options: GroovyMap;
}

/** undefined: it publishes nothing. */
function targetOf(directive: Value, given: PublishContext): Target | undefined {
  const options =
    directive instanceof GroovyMap
      ? directive
      : new GroovyMap([["path", isList(directive) ? (directive[0] ?? null) : directive]]);
  const option = (name: string) => evaluated(options.at(name) ?? null, given.context);
  const enabled = option("enabled");
  if (enabled !== null && !truthOf(enabled)) return undefined;
  const path = option("path") ?? option("value");
  if (path === null) return undefined;
  return { folder: absolute(path instanceof Path ? path.location : textOf(path), given.launchDir), options };
}

function ofDirective(directive: Value, files: readonly FileValue[], given: PublishContext): Publication[] {
  const published = targetOf(directive, given);
  if (published === undefined) return [];
  const { folder, options } = published;
  const option = (name: string) => evaluated(options.at(name) ?? null, given.context);
  const pattern = option("pattern");
  const saveAs = options.at("saveAs") ?? null;
  const overwrite = option("overwrite");
  const failOnError = option("failOnError");
  const found: Publication[] = [];
  for (const file of files) {
    const name = nameOf(file);
    if (pattern !== null && !globMatches(textOf(pattern), name)) continue;
    let target = name;
    if (saveAs instanceof Closure) {
      const renamed = saveAs.bound(given.context, "delegate first").call([name]);
      if (!truthOf(renamed)) continue;
      target = renamed instanceof Path ? renamed.location : textOf(renamed);
    }
    found.push({
      file,
      failOnError: failOnError === null ? given.failOnError : truthOf(failOnError),
      order: {
        target: target.startsWith("/") ? cleaned(target) : cleaned(`${folder}/${target}`),
        mode: modeOf(option("mode") ?? given.mode),
        ...defined({ linkText: linkTextOf(option("mode"), file, files) }),
        overwrite: overwriteOf(overwrite, given),
        call: given.call,
      },
    });
  }
  return found;
}

/** What the link leads to is a result, too: otherwise its content is published. */
function linkTextOf(mode: Value, file: FileValue, files: readonly FileValue[]): string | undefined {
  const text = file.extra?.[linkMember];
  if (typeof text !== "string" || mode === null || textOf(mode).toLowerCase() !== "copynofollow")
    return undefined;
  const target = cleaned(`${nameOf(file)}/../${text}`);
  const isResult = files.some((each) => target === nameOf(each) || target.startsWith(`${nameOf(each)}/`));
  return isResult ? text : undefined;
}

export function absolute(path: string, launchDir: string): string {
  return path.startsWith("/") ? cleaned(path) : cleaned(`${launchDir}/${path}`);
}

export function modeOf(mode: Value): PublishOrder["mode"] {
  switch (mode === null ? "symlink" : textOf(mode).toLowerCase()) {
    case "symlink":
      return "link";
    case "rellink":
      return "relative link";
    case "copy":
    case "copynofollow":
    case "move":
    // A hard link could be edited, and with it the recorded result.
    case "link":
      return "copy";
    default:
      return illegal(`Unknown publish mode: ${textOf(mode)}`);
  }
}

function overwriteOf(value: Value, { reused, rules }: PublishContext): PublishOrder["overwrite"] {
  if (value === null) return reused ? "never" : "always";
  if (value === "standard" || value === "lenient" || value === "deep")
    return rules.comparesPublished ? "if different" : "never";
  return truthOf(value) ? "always" : "never";
}
