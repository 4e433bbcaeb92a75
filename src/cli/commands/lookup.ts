/** memoir lookup SMILES */
import type { LookUpResult } from "../../app/index.ts";
import { floatText } from "../../kernel/index.ts";
import { defineCommand } from "../command.ts";
import { table } from "../format.ts";
import { localRuleOptions, tierOptions, tierOptionsOf } from "../model-options.ts";

/** Values of a row that the table shows; `--json` has all. */
const shownValues = 4;

export const command = defineCommand<LookUpResult>({
  name: "lookup",
  summary: "Show every stored value of a molecule, of all models and caches",
  details: [
    "Asks the local and the cloud cache for every model, release and set of columns that they hold, and for the models that are installed. Nothing is computed. Rows of another release or other columns are shown as such: a run never answers with them.",
    "Exits with 1 if nothing is stored.",
  ],
  arguments: [
    { name: "SMILES", description: "the molecule, as it was written in the inputs", required: true },
  ],
  options: [
    {
      flags: "--match <how>",
      description:
        "exact compares the text, canonical also shows rows of other spellings of the same molecule",
      default: "exact",
      choices: ["exact", "canonical"],
    },
    ...tierOptions,
    ...localRuleOptions,
  ],
  examples: [
    {
      command:
        'memoir example molecular-weight -n 1 -o in.csv && memoir run --model eos3b5e -i in.csv -o out.csv && memoir lookup "$(tail -n 1 in.csv)"',
    },
  ],
  act: async (given, { app, ask, screen }) => {
    const match = given.text("match") === "canonical" ? "canonical" : "exact";
    const options = { molecule: given.argument(0) ?? "", match, ...tierOptionsOf(given) } as const;
    const result = await (await app()).lookUp(options, ask);
    for (const problem of result.problems) screen.say(`${screen.paint.yellow("warning:")} ${problem}`);
    return result;
  },
  render: ({ found, molecule, missing }, screen) => {
    const rows = found.map((each) => {
      const values = Object.entries(each.values);
      const shown = values.slice(0, shownValues).map(([name, value]) => `${name} ${cell(value)}`);
      if (values.length > shownValues) shown.push(`and ${values.length - shownValues} more`);
      const as = each.storedAs === undefined ? "" : ` (stored as ${each.storedAs})`;
      return [
        each.model,
        each.release ?? "unknown release",
        each.state === "current" ? "" : each.state.replaceAll("-", " "),
        each.cache,
        each.computedAt?.slice(0, 16).replace("T", " ") ?? "",
        shown.join(", ") + as,
      ];
    });
    if (rows.length > 0)
      for (const line of table([["model", "release", "note", "cache", "computed", "values"], ...rows]))
        screen.out(line);
    else screen.out(`nothing is stored for ${molecule}`);
    if (missing.length > 0) screen.say(screen.paint.dim(`not stored: ${missing.join(", ")}`));
  },
  exitCode: ({ found }) => (found.length === 0 ? 1 : 0),
});

function cell(value: number | string | null): string {
  return value === null ? "-" : typeof value === "number" ? floatText(value).replace(/\.0$/, "") : value;
}
