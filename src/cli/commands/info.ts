/** memoir info [MODEL] */

import { writeFile } from "node:fs/promises";
import { extname } from "node:path";
import type { InfoResult } from "../../app/index.ts";
import { quotedWhere } from "../../csv/index.ts";
import { AppError, defined, messageOf, writeJson } from "../../kernel/index.ts";
import { defineCommand } from "../command.ts";
import { table } from "../format.ts";
import { sessionOption } from "../model-options.ts";

const columnsShown = 12;

export const command = defineCommand<InfoResult>({
  name: "info",
  summary: "Show the served model or another one",
  arguments: [{ name: "MODEL", description: "id, slug, folder or URL", default: "the served model" }],
  options: [
    { flags: "--model <model>", description: "the same as MODEL" },
    sessionOption,
    { flags: "-o, --output <file>", description: "also write everything to a .json or .csv file" },
  ],
  examples: [{ command: "memoir info molecular-weight" }],
  act: async (given, { app, ask, screen }) => {
    const output = given.text("output");
    const format = output === undefined ? undefined : formatOf(output);
    const result = await (await app()).info(
      {
        ...defined({ model: given.argument(0) ?? given.text("model"), session: given.text("session") }),
      },
      ask,
    );
    if (output !== undefined) {
      await writeInfo(output, format === "json" ? writeJson(result) : csvText(result));
      screen.say(`written to ${output}`);
    }
    return result;
  },
  render: (info, screen) => {
    screen.out(`${screen.paint.bold(info.model)} ${info.title}`);
    if (info.description !== "") screen.out(info.description);
    const facts = [
      ["slug", info.slug],
      ["release", info.release],
      ["runner", info.runner],
      ["from", info.from],
      ...(info.fetchedAt === undefined ? [] : [["fetched", info.fetchedAt]]),
      ["answers", info.reuse],
      ...(info.session === undefined
        ? []
        : [
            ["mode", info.session.mode],
            ["local cache", info.session.local],
            ["cloud cache", info.session.cloud],
          ]),
    ];
    for (const line of table(facts)) screen.out(`  ${line}`);
    if (info.needs !== undefined) {
      screen.out("needs, on the PATH where it runs:");
      for (const line of info.needs) screen.out(`  ${line}`);
    }
    screen.out(`columns (${info.columns.length}):`);
    const shown = info.columns.slice(0, columnsShown);
    for (const line of table(shown.map((column) => [column.name, column.type, column.description ?? ""])))
      screen.out(`  ${line}`);
    if (info.columns.length > columnsShown)
      screen.out(`  … and ${info.columns.length - columnsShown} more (--json lists all)`);
  },
});

/** @throws PREDICT_FORMAT_UNKNOWN */
function formatOf(output: string): "json" | "csv" {
  const extension = extname(output).toLowerCase();
  if (extension === ".json") return "json";
  if (extension === ".csv") return "csv";
  throw new AppError(
    "PREDICT_FORMAT_UNKNOWN",
    `cannot write the description of the model to ${output}: got ${extension === "" ? "no extension" : extension}, expected .json or .csv`,
  );
}

/** One line per fact: texts as they are, all else as JSON. */
function csvText(info: InfoResult): string {
  const text = quotedWhere(",");
  const lines = Object.entries(info).map(
    ([name, value]) => `${text(name)},${text(typeof value === "string" ? value : JSON.stringify(value))}`,
  );
  return ["field,value", ...lines].join("\n");
}

async function writeInfo(output: string, content: string): Promise<void> {
  try {
    await writeFile(output, `${content}\n`);
  } catch (error) {
    throw new AppError("FILE_NOT_WRITABLE", `cannot write ${output}: ${messageOf(error)}`, { cause: error });
  }
}
