/** memoir shim DIR: executables of other names that pass on to Memoir. */
import { chmod, lstat, mkdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { AppError, messageOf } from "../../kernel/index.ts";
import { defineCommand } from "../command.ts";

const programs = ["ersilia", "nextflow", "cwl-runner"] as const;

/** By which a file is known as one that may be replaced. */
const mark = "# written by memoir shim";

export const command = defineCommand<{ readonly folder: string; readonly files: readonly string[] }>({
  name: "shim",
  summary: "Write executables ersilia, nextflow and cwl-runner that pass on to Memoir",
  details: [
    "Programs that start ersilia, nextflow or cwl-runner by name use Memoir when the folder is the first on PATH: PATH=DIR:$PATH. Files of these names that are something else are never replaced.",
  ],
  arguments: [{ name: "DIR", description: "folder for the executables; it is made", required: true }],
  options: [],
  examples: [{ command: "memoir shim ./bin", note: "then: PATH=$PWD/bin:$PATH nextflow -version" }],
  act: async (given) => {
    const folder = resolve(given.argument(0) ?? ".");
    const script = process.argv[1];
    if (script === undefined)
      throw new AppError("CLI_USAGE", "memoir shim: the program was not started from a file");
    await made(folder, () => mkdir(folder, { recursive: true }));
    const files: string[] = [];
    // All or none: one of the names taken changes nothing.
    for (const name of programs) await refuseOthers(join(folder, name));
    for (const name of programs) {
      const file = join(folder, name);
      const text = `#!/bin/sh\n${mark}\nexec ${quoted(process.execPath)} ${quoted(script)} ${name} "$@"\n`;
      await made(file, async () => {
        await writeFile(file, text);
        await chmod(file, 0o755);
      });
      files.push(file);
    }
    return { folder, files };
  },
  render: ({ files }, screen) => {
    for (const file of files) screen.out(file);
  },
});

async function refuseOthers(file: string): Promise<void> {
  const found = await lstat(file).catch(() => undefined);
  if (found === undefined) return;
  const text = found.isFile() ? await readFile(file, "utf8").catch(() => "") : "";
  if (!text.includes(mark))
    throw new AppError(
      "CLI_USAGE",
      `memoir shim: ${file} is there and was not written by Memoir; choose another folder`,
    );
}

async function made(path: string, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    throw new AppError("FILE_NOT_WRITABLE", `writing ${path}: ${messageOf(error)}`, { cause: error });
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
