/** Which document of a tree is the one to run. */
import { AppError, type Ask } from "../../kernel/index.ts";
import type { SourceTree } from "./front-end.ts";

export interface MainQuestion {
  /** As the user named it, relative to the tree; undefined = find it. */
  readonly main: string | undefined;
  /** Whether a file name looks like a document of the language. */
  readonly accepts: (name: string) => boolean;
  /** For messages: `WDL`. */
  readonly language: string;
}

/**
 * The document that was named, else the only one at the top, else the one called `main`.
 * @throws AppError WORKFLOW_NOT_FOUND when there is none or the choice is unclear.
 */
export async function findMain(tree: SourceTree, question: MainQuestion, ask: Ask): Promise<string> {
  if (question.main !== undefined) return tree.resolve(question.main, undefined);
  const candidates = (await tree.list(ask)).filter((uri) => question.accepts(baseOf(uri)));
  const [only] = candidates;
  if (only !== undefined && candidates.length === 1) return only;
  const named = candidates.find((uri) => /^main\.[^.]+$/i.test(baseOf(uri)));
  if (named !== undefined) return named;
  const found =
    candidates.length === 0
      ? `there is no ${question.language} document at its top`
      : `it has ${candidates.length} documents and none is called main: ${listed(candidates)}`;
  throw new AppError("WORKFLOW_NOT_FOUND", `looking for the main document of ${tree.name}: ${found}`);
}

function listed(uris: readonly string[]): string {
  const names = uris.slice(0, 8).map(baseOf).join(", ");
  return uris.length > 8 ? `${names}, …` : names;
}

function baseOf(uri: string): string {
  return uri.slice(uri.lastIndexOf("/") + 1);
}
