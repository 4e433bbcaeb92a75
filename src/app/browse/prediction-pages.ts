/** What the pages about predictions show: how the stored values of a model's columns are spread, and drawings. */
import type { Ask } from "../../kernel/index.ts";
import { drawMolecule, findModel } from "../../models/index.ts";
import type { Cell } from "../../task/index.ts";
import type { Environment } from "../environment.ts";
import { type Spread, spreadOf } from "../history/spread.ts";
import { closeBoth, scopeOf, tiersOf } from "../stored.ts";

export interface ColumnSpreads {
  readonly model: string;
  readonly release: string;
  readonly cache: "local" | "cloud";
  /** Rows of the sample. */
  readonly rows: number;
  readonly columns: readonly ColumnSpread[];
}

interface ColumnSpread {
  readonly name: string;
  readonly type: string;
  readonly description?: string;
  /** Rows without a value. */
  readonly empty: number;
  /** Of numbers. */
  readonly spread?: Spread;
  /** Of numbers: bins of equal width from the least to the greatest value. */
  readonly bins?: readonly number[];
  /** Of texts: the most frequent ones. */
  readonly values?: readonly { readonly value: string; readonly count: number }[];
}

const binCount = 30;
const mostValues = 20;
/** Columns after these are left out: fingerprints have thousands. */
const mostColumns = 200;

export async function columnSpreads(
  options: { readonly model: string; readonly cache: "local" | "cloud"; readonly rows: number },
  environment: Environment,
  ask: Ask,
): Promise<ColumnSpreads> {
  const { home, cwd } = environment;
  const model = await findModel({ name: options.model, home, cwd }, ask);
  const tiers = tiersOf({}, environment);
  try {
    const tier = tiers[options.cache];
    await tier.open(ask);
    // The same rows each time, so that a page that is loaded again shows the same.
    const rows = await tier.sample(scopeOf(model), { count: options.rows, seed: "page" }, ask);
    const columns = model.columns.slice(0, mostColumns).map(({ name, type, description }, at) => ({
      ...{ name, type },
      ...(description === undefined ? {} : { description }),
      ...spreadOfCells(rows.map(({ values }) => values[at] ?? null)),
    }));
    return { model: model.id, release: model.release, cache: options.cache, rows: rows.length, columns };
  } finally {
    await closeBoth(tiers);
  }
}

function spreadOfCells(cells: readonly Cell[]): Pick<ColumnSpread, "empty" | "spread" | "bins" | "values"> {
  const numbers = cells.filter((cell): cell is number => typeof cell === "number" && Number.isFinite(cell));
  const texts = cells.filter((cell): cell is string => typeof cell === "string");
  const empty = cells.length - numbers.length - texts.length;
  const spread = spreadOf(numbers);
  if (spread !== undefined) {
    const bins = new Array<number>(binCount).fill(0);
    const width = (spread.most - spread.least) / binCount;
    for (const each of numbers) {
      const bin = width === 0 ? 0 : Math.min(binCount - 1, Math.floor((each - spread.least) / width));
      bins[bin] = (bins[bin] ?? 0) + 1;
    }
    return { empty, spread, bins };
  }
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  const values = [...counts]
    .map(([value, count]) => ({ value, count }))
    .sort((a, b) => b.count - a.count)
    .slice(0, mostValues);
  return { empty, values };
}

/** undefined = it is not one plain SMILES. */
export async function drawing(molecule: string, ask: Ask): Promise<{ readonly svg?: string }> {
  const svg = await drawMolecule(molecule, ask);
  return svg === undefined ? {} : { svg };
}
