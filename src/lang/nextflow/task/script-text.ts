/** The text of a task's script, as it is written to `.command.sh`. */
import { taskWork } from "../../../task/index.ts";

import type { Rules } from "../versions.ts";

/** The common indent of lines that are not blank goes; a first line says what runs it. */
export function normalizedScript(script: string, shell: readonly string[]): string {
  const lines = script.split("\n");
  const indents = lines
    .filter((line) => line.trim() !== "")
    .map((line) => line.length - line.trimStart().length);
  const indent = indents.reduce((least, each) => Math.min(least, each), indents[0] ?? 0);
  const text = `${lines
    .map((line) => (line.trim() === "" ? "" : line.slice(indent)))
    .join("\n")
    .trim()}\n`;
  return text.startsWith("#!") ? text : `#!${shell.join(" ")}\n${text}`;
}

/** What a script's first line says runs it. */
export function interpreterOf(script: string): string {
  const first = script.slice(0, script.indexOf("\n"));
  return first.startsWith("#!") ? first.slice(2).trim() : "/bin/bash -ue";
}

export function isBash(interpreter: string): boolean {
  return /(?:^|\/|\s)(?:ba|da|z|k)?sh(?:\s|$)/.test(interpreter);
}

/** `!{…}` of `shell:` blocks and old templates; `evaluate` answers the text of an expression. */
export function shellText(text: string, evaluate: (expression: string) => string): string {
  let result = "";
  let at = 0;
  for (;;) {
    const start = text.indexOf("!{", at);
    if (start < 0) return result + text.slice(at);
    let depth = 1;
    let end = start + 2;
    while (end < text.length && depth > 0) {
      if (text[end] === "{") depth++;
      if (text[end] === "}") depth--;
      end++;
    }
    result += text.slice(at, start) + evaluate(text.slice(start + 2, end - 1));
    at = end;
  }
}

/** Commands at the end of a script that keep variables and the answers of commands in files. */
export function captureText(
  captures: readonly { readonly kind: "env" | "eval"; readonly text: string; readonly file: string }[],
  { rules, folder }: { readonly rules: Pick<Rules, "envKeepsLines">; readonly folder: string },
): string {
  if (captures.length === 0) return "";
  const lines = captures.map(({ kind, text, file }) => {
    const at = `${taskWork}/${file}`;
    // Without quotation marks, as Nextflow wrote it at first, white space becomes single blanks.
    if (kind === "env")
      return rules.envKeepsLines ? `printf '%s' "\${${text}[*]}" > ${at}` : `echo \${${text}[@]} > ${at}`;
    const command = text.replaceAll('"', '\\"');
    return `bash -c "${command}" > ${at} 2> ${at}.err || { nf_status=$?; cat ${at}.err >&2; exit $nf_status; }`;
  });
  return `\n# outputs\nset +u\nset +e\ncd ${folder}\n${lines.join("\n")}\n`;
}
