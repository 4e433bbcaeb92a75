/** What a run reads may lie where its outputs go. */
import { AppError, shownName } from "../kernel/index.ts";
import { realPathOfSync } from "./tree.ts";

/** What may not be lost by bringing an output to its place. */
export interface Needed {
  /** What the outputs are made of, without links. */
  readonly sources: readonly string[];
  /** Files and folders of the user that the run has read, without links. */
  readonly inputs: () => Promise<readonly string[]>;
  /** Where the outputs lie anyway, for the message. Default: nowhere that lasts. */
  readonly kept?: string;
}

/** Of those that are there. */
export function realPathsOf(paths: readonly string[]): readonly string[] {
  return paths.flatMap((path) => realPathIfThere(path) ?? []);
}

/**
 * Throws where something would be lost, or be another one, if `target` was replaced by a copy of `source`.
 * @throws FILE_NOT_WRITABLE for what another output is made of, OUTPUT_OVER_INPUT for what the run has read
 */
export async function refuseOverwriting(
  { target, source }: { readonly target: string; readonly source: string },
  { sources, inputs, kept }: Needed,
  doing: string,
): Promise<void> {
  const there = realPathIfThere(target);
  if (there === undefined || there === realPathIfThere(source)) return;
  const needed = lost(there, sources);
  if (needed !== undefined)
    throw new AppError(
      "FILE_NOT_WRITABLE",
      `${doing} ${shownName(target)}: it would overwrite ${shownName(needed)}, which another output is made of`,
    );
  const input = lost(there, await inputs());
  if (input !== undefined)
    throw new AppError(
      "OUTPUT_OVER_INPUT",
      `${doing} ${shownName(target)}: it would replace ${there === input ? "" : "a part of "}${shownName(input)}, an input of this run${kept === undefined ? "" : `; the result is in ${shownName(kept)}`}`,
    );
}

function lost(there: string, paths: readonly string[]): string | undefined {
  return paths.find((each) => each === there || each.startsWith(`${there}/`) || there.startsWith(`${each}/`));
}

function realPathIfThere(path: string): string | undefined {
  try {
    return realPathOfSync(path);
  } catch {
    return undefined;
  }
}
