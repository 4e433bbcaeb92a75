/** The shell text that runs the words of a command line, with its streams where the document wants them. */
import type { Word } from "./bind-arguments.ts";

export interface Streams {
  /** Paths as the task sees them, or relative to the working directory. */
  readonly stdin?: string;
  readonly stdout?: string;
  readonly stderr?: string;
}

export interface Script {
  readonly shell: readonly string[];
  readonly command: string;
}

/**
 * Words alone replace the shell (`exec`), so that programs are found on PATH and never are the shell's own. A script
 * for bash is handed to it as it is, which is what it is in languages whose commands are scripts.
 */
export function renderScript(words: readonly Word[], streams: Streams, form: "words" | "shell text"): Script {
  const redirections = redirectionsOf(streams);
  if (form === "shell text") {
    const text = words.map((word) => (word.quoted ? shellWord(word.text) : word.text)).join(" ");
    const head = redirections === "" ? "" : `exec${redirections}\n`;
    return { shell: ["/bin/sh"], command: `${head}${text}\n` };
  }
  const [program, flag, script] = words;
  const isBashText = program?.text === "/bin/bash" && flag?.text === "-c" && words.length === 3;
  if (isBashText && script !== undefined && redirections === "")
    return { shell: ["/bin/bash"], command: script.text };
  const text = words.map((word) => shellWord(word.text)).join(" ");
  return { shell: ["/bin/sh"], command: `exec ${text}${redirections}\n` };
}

function redirectionsOf({ stdin, stdout, stderr }: Streams): string {
  const parts: string[] = [];
  if (stdin !== undefined) parts.push(` < ${shellWord(stdin)}`);
  if (stdout !== undefined) parts.push(` > ${shellWord(stdout)}`);
  if (stderr !== undefined) parts.push(stderr === stdout ? " 2>&1" : ` 2> ${shellWord(stderr)}`);
  return parts.join("");
}

/** One word for a POSIX shell, whatever is in it. */
export function shellWord(text: string): string {
  if (/^[A-Za-z0-9_@%+=:,./-]+$/.test(text) && !text.includes("=") && !text.startsWith("~")) return text;
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
