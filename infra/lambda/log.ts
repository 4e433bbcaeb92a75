/** One line of JSON for each request or job. Never a URL, a header, an input or a key. */
import { redact } from "../../src/kernel/index.ts";

export function log(level: "info" | "error", facts: Readonly<Record<string, unknown>>): void {
  const line = JSON.stringify({ level, ...facts }, (_, value) =>
    typeof value === "string" ? withoutLinks(redact(value)) : value,
  );
  process.stdout.write(`${line}\n`);
}

function withoutLinks(text: string): string {
  return text.replace(/https?:\/\/[^\s"')]+/g, "[address]");
}
