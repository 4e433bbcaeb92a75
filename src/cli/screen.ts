/** Where text goes: results to standard output, everything said on the way to standard error. Colour only where wanted. */
import type { Writable } from "node:stream";

export interface Screen {
  /** A line of the result. */
  out(line: string): void;
  /** A line about the work: notes, warnings, plain progress. */
  say(line: string): void;
  /** Replaces the moving last line on a terminal; "" removes it. Does nothing elsewhere. */
  status(line: string): void;
  readonly errorIsTerminal: boolean;
  readonly columns: number;
  readonly paint: Paint;
}

export interface Paint {
  bold(text: string): string;
  dim(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
  red(text: string): string;
}

export interface ScreenStreams {
  readonly stdout: Writable & { readonly isTTY?: boolean };
  readonly stderr: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  readonly env: Readonly<Record<string, string | undefined>>;
}

export function createScreen({ stdout, stderr, env }: ScreenStreams): Screen {
  const errorIsTerminal = stderr.isTTY === true;
  let status = "";
  const clear = () => {
    if (status !== "") stderr.write("\r\u001b[K");
  };
  const line = (stream: Writable, text: string) => {
    clear();
    stream.write(`${text}\n`);
    if (status !== "") stderr.write(status);
  };
  return {
    out: (text) => line(stdout, text),
    say: (text) => line(stderr, text),
    status: (text) => {
      if (!errorIsTerminal) return;
      clear();
      status = text;
      if (text !== "") stderr.write(text);
    },
    errorIsTerminal,
    columns: stderr.columns ?? 80,
    paint: createPaint(wantsColour(stdout.isTTY === true && errorIsTerminal, env)),
  };
}

/** https://no-color.org: NO_COLOR set to anything but "" wins over everything. */
function wantsColour(isTerminal: boolean, env: ScreenStreams["env"]): "colour" | "plain" {
  if ((env["NO_COLOR"] ?? "") !== "") return "plain";
  if ((env["FORCE_COLOR"] ?? "") !== "" && env["FORCE_COLOR"] !== "0") return "colour";
  return isTerminal && env["TERM"] !== "dumb" ? "colour" : "plain";
}

function createPaint(mode: "colour" | "plain"): Paint {
  const with_ = (code: number, end: number) => (text: string) =>
    mode === "plain" ? text : `\u001b[${code}m${text}\u001b[${end}m`;
  return {
    bold: with_(1, 22),
    dim: with_(2, 22),
    green: with_(32, 39),
    yellow: with_(33, 39),
    red: with_(31, 39),
  };
}
