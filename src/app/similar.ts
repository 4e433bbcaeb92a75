/** `memoir similar`, and the neighbours that `memoir run --nearest` asks for. */
import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { quotedWhere } from "../csv/index.ts";
import { md5Hex } from "../hash/index.ts";
import { AppError, type Ask, defined, floatText, messageOf } from "../kernel/index.ts";
import { findModel } from "../models/index.ts";
import {
  type IndexUse,
  openSimilar,
  type PredictEventSink,
  readInputTexts,
  type SimilarMolecules,
  type Source,
} from "../predict/index.ts";
import type { Cell } from "../task/index.ts";
import type { Environment } from "./environment.ts";
import { checkSimilarity, indexPath } from "./similar-index.ts";
import { closeBoth, scopeOf, type TierOptions, tiersOf } from "./stored.ts";
import { warnOf } from "./tier-warnings.ts";

export interface SimilarOptions extends TierOptions {
  readonly model: string;
  readonly input: string;
  /** By name or number from 1. Default: smiles or input. */
  readonly column?: string;
  /** A .csv file. Default: nothing is written. */
  readonly output?: string;
  readonly from: Source;
  /** Neighbours of each molecule. */
  readonly count: number;
  /** Tanimoto, 0 to 1. */
  readonly similarity: number;
  readonly index: IndexUse;
}

export interface SimilarResult {
  readonly model: string;
  readonly release: string;
  readonly from: string;
  /** Molecules in the index, and when it was made. */
  readonly molecules: number;
  readonly indexedAt: string;
  readonly inputs: number;
  /** Inputs with at least one neighbour. */
  readonly withNeighbours: number;
  /** Inputs that are not molecules. */
  readonly unreadable: number;
  readonly output?: string;
  /** The first of them. */
  readonly neighbours: readonly FoundNeighbour[];
}

export interface FoundNeighbour {
  readonly input: string;
  /** From 1. */
  readonly rank: number;
  readonly neighbour: string;
  readonly similarity: number;
  readonly values: Readonly<Record<string, Cell>>;
}

const shownNeighbours = 50;

export async function similar(
  options: SimilarOptions,
  environment: Environment,
  emit: PredictEventSink,
  ask: Ask,
): Promise<SimilarResult> {
  checkSimilarity(options.similarity, "--similarity");
  if (!Number.isInteger(options.count) || options.count < 1 || options.count > 1_000)
    throw new AppError("CLI_USAGE", `-k must be from 1 to 1000, got ${options.count}`);
  const { home, cwd } = environment;
  const model = await findModel({ name: options.model, home, cwd }, ask);
  const scope = scopeOf(model);
  const tiers = tiersOf(options, environment, warnOf(emit));
  const tier = tiers[options.from];
  const output = options.output === undefined ? undefined : resolve(cwd, options.output);
  if (output !== undefined && !/\.csv$/i.test(output))
    throw new AppError(
      "PREDICT_FORMAT_UNKNOWN",
      `cannot write the neighbours to ${output}: expected a .csv file`,
    );
  const text = quotedWhere(",");
  const names = scope.columns.map(({ name }) => name);
  const lines = [["key", "input", "rank", "neighbour", "similarity", ...names].map(text).join(",")];
  const neighbours: FoundNeighbour[] = [];
  const counts = { inputs: 0, withNeighbours: 0, unreadable: 0 };
  let search: SimilarMolecules | undefined;
  try {
    const path = resolve(cwd, options.input);
    for await (const inputs of readInputTexts({ path, ...defined({ column: options.column }) }, ask)) {
      // A wrong input is reported before an index is made.
      search ??= await openSimilar(
        {
          scope,
          tier,
          path: indexPath({ tier, scope, from: options.from }, options, environment),
          use: options.index,
          emit,
        },
        ask,
      );
      const found = await search.find(inputs, options, ask);
      for (const [at, input] of inputs.entries()) {
        const near = found[at];
        counts.inputs++;
        if (near === undefined) counts.unreadable++;
        else if (near.length > 0) counts.withNeighbours++;
        if ((near ?? []).length === 0)
          lines.push(`${md5Hex(input)},${text(input)}${",".repeat(3 + names.length)}`);
        for (const [n, { row, similarity }] of (near ?? []).entries()) {
          const values = Object.fromEntries(names.map((name, c) => [name, row.values[c] ?? null]));
          const cells = row.values.map((cell, c) =>
            cellText(cell, scope.columns[c]?.type === "integer", text),
          );
          lines.push(
            [md5Hex(input), text(input), n + 1, text(row.input), similarity.toFixed(4), ...cells].join(","),
          );
          if (neighbours.length < shownNeighbours)
            neighbours.push({ input, rank: n + 1, neighbour: row.input, similarity, values });
        }
      }
    }
    if (output !== undefined) await written(output, `${lines.join("\n")}\n`);
    return {
      model: model.id,
      release: model.release,
      from: tier.name,
      molecules: search?.size ?? 0,
      indexedAt: search?.facts.builtAt ?? "",
      ...counts,
      ...(output === undefined ? {} : { output }),
      neighbours,
    };
  } finally {
    await search?.close();
    await closeBoth(tiers);
  }
}

function cellText(cell: Cell, isInteger: boolean, text: (value: string) => string): string {
  if (typeof cell !== "number") return cell === null ? "" : text(cell);
  return !Number.isFinite(cell) ? "" : isInteger ? `${cell}` : floatText(cell);
}

async function written(path: string, content: string): Promise<void> {
  try {
    await writeFile(path, content);
  } catch (error) {
    throw new AppError("FILE_NOT_WRITABLE", `cannot write ${path}: ${messageOf(error)}`, { cause: error });
  }
}
