/** Everything outside a script that it may reach, given by whoever runs it. */
import type { ScriptFiles } from "../values/files.ts";

export interface Outside {
  readonly files: ScriptFiles;
  /** Environment variables that scripts and configuration may read. */
  env(name: string): string | undefined;
  readonly environment: Readonly<Record<string, string>>;
  nowMs(): number;
  /** What `println` and `view` write. */
  print(text: string): void;
  /** A new folder that lives as long as the run. Absolute. */
  newFolder(): string;
  log(level: "debug" | "info" | "warn" | "error", message: string): void;
}
