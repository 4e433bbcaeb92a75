/**
 * JSON that other programs read exactly: integers of any size are numbers, and the order of members is kept, which
 * objects of JavaScript do not do for names such as "10".
 */

/** A value whose JSON text is known already, indented by two spaces. */
export class ExactJson {
  readonly text: string;
  /** Of an object, for people who look at one of them. */
  readonly members: readonly (readonly [string, ExactJson])[];

  constructor(text: string, members: readonly (readonly [string, ExactJson])[] = []) {
    this.text = text;
    this.members = members;
  }

  /** Rounded where JavaScript rounds. */
  toJSON(): unknown {
    return JSON.parse(this.text);
  }
}

/** The text of `JSON.stringify(data, null, 2)`, with exact values as they are. */
export function writeJson(data: unknown): string {
  return written(data, "") ?? "null";
}

/** undefined where JSON has nothing: the member is left out. */
function written(data: unknown, indent: string): string | undefined {
  if (data instanceof ExactJson) return data.text.replaceAll("\n", `\n${indent}`);
  if (typeof data === "bigint") return String(data);
  if (typeof data !== "object" || data === null) return JSON.stringify(data);
  if ("toJSON" in data && typeof data.toJSON === "function") return written(data.toJSON(), indent);
  const inner = `${indent}  `;
  if (Array.isArray(data)) {
    const items = data.map((item) => inner + (written(item, inner) ?? "null"));
    return items.length === 0 ? "[]" : `[\n${items.join(",\n")}\n${indent}]`;
  }
  const members = Object.entries(data).flatMap(([name, value]) => {
    const text = written(value, inner);
    return text === undefined ? [] : [`${inner}${JSON.stringify(name)}: ${text}`];
  });
  return members.length === 0 ? "{}" : `{\n${members.join(",\n")}\n${indent}}`;
}
