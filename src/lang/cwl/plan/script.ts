/** The shell text that runs the words of a command line, with its streams where the document wants them. */
import { posix } from "node:path";
import type { Word } from "./bind-arguments.ts";

export interface Streams {
  /** Paths as the task sees them, or relative to the working directory. */
  readonly stdin?: { readonly from: string; readonly through: "file" | "pipe" };
  readonly stdout?: string;
  readonly stderr?: string;
}

export interface Script {
  readonly shell: readonly string[];
  readonly command: string;
  /** The same for an image with an entry point, whose words are the script's arguments. */
  readonly behindEntrypoint: {
    readonly shell: readonly string[];
    readonly command: string;
    readonly words: "given" | "image's own";
  };
}

const sh = ["/bin/sh"];

/**
 * Words alone replace the shell (`exec`), so that programs are found on PATH and never are the shell's own. A script
 * for bash is handed to it as it is, which is what it is in languages whose commands are scripts.
 */
export function renderScript(words: readonly Word[], streams: Streams, form: "words" | "shell text"): Script {
  const redirections = redirectionsOf(streams);
  const shellText = words.map((word) => (word.quoted ? shellWord(word.text) : word.text)).join(" ");
  const texts = form === "words" ? words.map((word) => word.text) : ["/bin/sh", "-c", shellText];
  const text = texts.map(shellWord).join(" ");
  const folders = foldersOf(streams);
  const behindEntrypoint = {
    shell: sh,
    command: folders + executed(`"$@"${text === "" ? "" : ` ${text}`}`, streams),
    words: texts.length === 0 ? ("image's own" as const) : ("given" as const),
  };
  if (form === "shell text" && streams.stdin?.through !== "pipe") {
    const head = redirections === "" ? "" : `exec${redirections}\n`;
    return { shell: sh, command: `${folders}${head}${shellText}\n`, behindEntrypoint };
  }
  const [program, flag, script] = words;
  const isBashText = program?.text === "/bin/bash" && flag?.text === "-c" && words.length === 3;
  if (isBashText && script !== undefined && form === "words" && redirections === "")
    return { shell: ["/bin/bash"], command: script.text, behindEntrypoint };
  return { shell: sh, command: folders + executed(text, streams), behindEntrypoint };
}

/** What is read through a pipe cannot be measured or read twice; where reading it fails, the task fails. */
function executed(text: string, streams: Streams): string {
  const { stdin, ...others } = streams;
  if (stdin?.through !== "pipe") return `exec ${text}${redirectionsOf(streams)}\n`;
  return [
    `exec < ${shellWord(stdin.from)} || exit 1`,
    `memoir_command() { exec ${text}${redirectionsOf(others)}; }`,
    "command -v cat > /dev/null || memoir_command",
    // 141: the command did not want all of it. Its input ends only after the `kill`, so it cannot take a part for all.
    "{ cat || [ $? = 141 ] || kill $$; } | memoir_command",
    "",
  ].join("\n");
}

/** `stdout: logs/a.txt` names a file in the output directory; nobody else makes its folder. */
function foldersOf({ stdout, stderr }: Streams): string {
  const folders = [stdout, stderr].flatMap((name) => {
    const folder = name === undefined ? "." : posix.dirname(posix.normalize(name));
    return folder === "." || folder.startsWith("/") ? [] : [folder];
  });
  if (folders.length === 0) return "";
  return `mkdir -p -- ${[...new Set(folders)].map(shellWord).join(" ")} || exit 1\n`;
}

function redirectionsOf({ stdin, stdout, stderr }: Streams): string {
  const parts: string[] = [];
  if (stdin !== undefined) parts.push(` < ${shellWord(stdin.from)}`);
  if (stdout !== undefined) parts.push(` > ${shellWord(stdout)}`);
  if (stderr !== undefined) parts.push(stderr === stdout ? " 2>&1" : ` 2> ${shellWord(stderr)}`);
  return parts.join("");
}

/** One word for a POSIX shell, whatever is in it. */
export function shellWord(text: string): string {
  if (/^[A-Za-z0-9_@%+=:,./-]+$/.test(text) && !text.includes("=") && !text.startsWith("~")) return text;
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
