/** `nextflow -bg run …`: the run continues without its terminal, with its number in `.nextflow.pid`. */
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { AppError } from "../../kernel/index.ts";

/** Answers the exit code: 0 as soon as the run is started. */
export async function startInBackground(words: readonly string[]): Promise<number> {
  const [program, script = ""] = process.argv;
  const others = words.filter((word) => word !== "-bg");
  const child = spawn(program ?? process.execPath, [...process.execArgv, script, "nextflow", ...others], {
    detached: true,
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, NXF_ANSI_LOG: process.env["NXF_ANSI_LOG"] ?? "false" },
  });
  await new Promise<void>((started, failed) => {
    child.once("spawn", started);
    child.once("error", (cause) =>
      failed(new AppError("CLI_USAGE", `starting the run in the background: ${cause.message}`, { cause })),
    );
  });
  child.unref();
  writeFileSync(".nextflow.pid", `${child.pid}`);
  return 0;
}
