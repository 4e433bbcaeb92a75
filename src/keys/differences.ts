/** What differs between the components of two calls, in words: the heart of `cache explain`. */
import { byCodeUnit, canonicalText } from "../hash/index.ts";
import type { CanonicalJson } from "../task/index.ts";
import { componentNames } from "./components.ts";
import { lineDifferences } from "./line-differences.ts";

export interface Difference {
  /** Name of the component: `inputs`. */
  readonly component: string;
  /** What of it: a staged path, a variable, an output; undefined where the component is one thing. */
  readonly part?: string;
  readonly change: "added" | "removed" | "changed";
  /** Short texts for people; absent on the side where the part does not exist. */
  readonly before?: string;
  readonly after?: string;
  /** One sentence for people. */
  readonly words: string;
  /** Changed lines of a multi-line text, `-` and `+` first. */
  readonly lines?: readonly string[];
}

type ComponentMap = Readonly<Record<string, CanonicalJson>>;

/** Every difference, components in the order of the key. Empty = the keys are equal. */
export function differences(before: ComponentMap, after: ComponentMap): readonly Difference[] {
  const unknown = [...Object.keys(before), ...Object.keys(after)].filter((name) => !isKnown(name));
  const names = [...componentNames, ...[...new Set(unknown)].sort(byCodeUnit)];
  return names.flatMap((name) => {
    const [a, b] = [before[name] ?? null, after[name] ?? null];
    return equal(a, b) ? [] : differencesOf(name, a, b);
  });
}

function isKnown(name: string): boolean {
  return (componentNames as readonly string[]).includes(name);
}

function differencesOf(component: string, before: CanonicalJson, after: CanonicalJson): Difference[] {
  if (component === "command" && typeof before === "string" && typeof after === "string")
    return [{ ...textDifference("command", before, after), component }];
  if (isMap(before) && isMap(after)) return partDifferences(component, before, after);
  const [a, b] = [short(component, before), short(component, after)];
  return [{ component, change: "changed", before: a, after: b, words: `${component} changed: ${a} -> ${b}` }];
}

function textDifference(what: string, before: string, after: string): Omit<Difference, "component"> {
  const lines = lineDifferences(before, after);
  const count = lines.filter((line) => !line.startsWith("…")).length;
  const words = `the ${what} changed (${count} ${count === 1 ? "line differs" : "lines differ"})`;
  return { change: "changed", words, lines };
}

function partDifferences(component: string, before: ComponentMap, after: ComponentMap): Difference[] {
  const parts = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort(byCodeUnit);
  const found: Difference[] = [];
  for (const part of parts) {
    const [a, b] = [before[part], after[part]];
    const noun = nounOf(component, part);
    if (a === undefined && b !== undefined) {
      const text = short(component, b);
      found.push({ component, part, change: "added", after: text, words: `${noun} was added (${text})` });
    } else if (a !== undefined && b === undefined) {
      const text = short(component, a);
      found.push({
        component,
        part,
        change: "removed",
        before: text,
        words: `${noun} was removed (${text})`,
      });
    } else if (a !== undefined && b !== undefined && !equal(a, b)) {
      const [before, after] = [scriptOf(a), scriptOf(b)];
      if (before !== undefined && after !== undefined) {
        found.push({ ...textDifference("script", before, after), component, part });
        continue;
      }
      const [x, y] = [short(component, a), short(component, b)];
      const verb = component === "inputs" ? "has other content" : "changed";
      found.push({
        component,
        part,
        change: "changed",
        before: x,
        after: y,
        words: `${noun} ${verb}: ${x} -> ${y}`,
      });
    }
  }
  return found;
}

function nounOf(component: string, part: string): string {
  switch (component) {
    case "inputs":
      return `input ${part}`;
    case "env":
      return `environment variable ${part}`;
    case "outputs":
      return `output ${part}`;
    case "container":
      return part === "configDigest" ? "the container image" : `the container's ${part}`;
    case "resources":
      return `resource ${part}`;
    case "task":
      return part === "name" ? "the task's name" : `the task's ${part}`;
    default:
      return `${component} ${part}`;
  }
}

const widest = 60;

/** A value in few characters: digests are cut to 12 digits, texts to one line. */
function short(component: string, value: CanonicalJson): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  const cut = text.replace(/\b([0-9a-f]{12})[0-9a-f]{20,}\b/g, "$1…").replaceAll("\n", "\\n");
  if (component === "inputs" || cut.length <= widest) return cut;
  return `${cut.slice(0, widest)}…`;
}

/** The text of an input that is the script of the task. */
function scriptOf(value: CanonicalJson): string | undefined {
  const text = isMap(value) ? value["script"] : undefined;
  return typeof text === "string" ? text : undefined;
}

function isMap(value: CanonicalJson): value is ComponentMap {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function equal(a: CanonicalJson, b: CanonicalJson): boolean {
  return a === b || canonicalText(a) === canonicalText(b);
}
