/**
 * Reads the examples that are embedded in the WDL specification's text:
 *
 *   <details> <summary> Example: name.wdl ```wdl … ``` </summary>
 *   <p> Example input: ```json … ```  Example output: ```json … ```  Test config: ```json … ``` </p> </details>
 *
 * Newer texts have `Resource: name` blocks between these, which are data files or documents next to the example.
 */
export interface SpecExample {
  /** File name without `.wdl`. */
  readonly name: string;
  readonly source: string;
  /** Texts as they are in the specification; they may not be valid JSON. */
  readonly input: string;
  readonly output: string;
  readonly config: string;
}

export interface SpecResource {
  readonly name: string;
  readonly content: string;
}

/** A mistake of the text, and how it is put right before the example is run. */
export interface Erratum {
  readonly what: string;
  /** Pairs of what the specification has and what it should have; every one has to be found. */
  readonly replace: readonly (readonly [string, string])[];
}

export type Errata = Readonly<Record<string, Erratum>>;

export interface SpecText {
  readonly examples: readonly SpecExample[];
  readonly resources: readonly SpecResource[];
}

export function readSpecText(markdown: string): SpecText {
  const examples: SpecExample[] = [];
  const resources: SpecResource[] = [];
  for (const block of markdown.matchAll(/<details>([\s\S]*?)<\/details>/g)) {
    const text = unindent(block[1] ?? "");
    const titled = /(Example|Resource):\s*`?([A-Za-z0-9_./-]+)`?/.exec(text);
    const body = /```([a-z]*)\n([\s\S]*?)```/.exec(text);
    if (titled === null || body === null) continue;
    const [, kind, file = ""] = titled;
    const content = body[2] ?? "";
    if (kind === "Resource") {
      resources.push({ name: file, content });
      continue;
    }
    examples.push({
      name: file.replace(/\.wdl$/, ""),
      source: content,
      input: jsonAfter(text, "Example input") ?? "{}",
      output: jsonAfter(text, "Example output") ?? "{}",
      config: jsonAfter(text, "Test config") ?? "{}",
    });
  }
  return { examples, resources };
}

/** Some examples are indented as a whole. */
function unindent(text: string): string {
  return /^ {2}```/m.test(text) && !/^```/m.test(text) ? text.replace(/^ {2}/gm, "") : text;
}

/** @throws when the text does not have what is to be replaced: then the list is out of date. */
export function corrected(example: SpecExample, { replace }: Erratum): SpecExample {
  let { source, input, output } = example;
  for (const [wrong, right] of replace) {
    const before = source + input + output;
    [source, input, output] = [source, input, output].map((text) => text.replaceAll(wrong, () => right)) as [
      string,
      string,
      string,
    ];
    if (source + input + output === before)
      throw new Error(`correcting ${example.name}: its text does not have ${JSON.stringify(wrong)}`);
  }
  return { ...example, source, input, output };
}

function jsonAfter(text: string, title: string): string | undefined {
  const at = text.indexOf(title);
  if (at < 0) return undefined;
  return /^[^`]*```(?:json)?\s*\n([\s\S]*?)```/.exec(text.slice(at))?.[1];
}
