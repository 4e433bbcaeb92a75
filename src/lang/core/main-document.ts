/**
 * Which document of a tree is the one to run. Never guessed: where names and imports leave more than one, all of them are
 * named and the user chooses. Running a library's task in place of the workflow would be worse than no answer.
 */
import { AppError, type Ask, type SourceText } from "../../kernel/index.ts";
import type { SourceTree } from "./source-tree.ts";

/** What a document is to others. */
export interface Outline {
  /** As written: imported documents, tools that steps run. */
  readonly references: readonly string[];
  /** Whether it holds a workflow; also of a text that cannot be read, since it may. */
  readonly workflow: boolean;
}

export interface DocumentLanguage {
  /** Whether a file name looks like a document of the language. */
  readonly accepts: (name: string) => boolean;
  /** For messages: `WDL`. */
  readonly name: string;
}

export interface MainQuestion extends DocumentLanguage {
  readonly outline: (source: SourceText) => Promise<Outline>;
}

/** More documents are not read to find out which one is meant. */
const mostOutlines = 500;

/**
 * The language of a tree whose documents are of one language, or have one main document. Otherwise those that there are
 * documents of.
 */
export async function languagesOf<T extends DocumentLanguage>(
  tree: SourceTree,
  languages: readonly T[],
  ask: Ask,
): Promise<readonly T[]> {
  const having = (uris: readonly string[]) =>
    languages.filter(({ accepts }) => uris.some((uri) => accepts(baseOf(uri))));
  const top = having((await tree.list("top", ask)).filter(isMain));
  if (top.length === 1) return top;
  const all = await tree.list("all", ask);
  const mains = having(all.filter(isMain));
  return mains.length === 1 ? mains : having(all);
}

/**
 * The document called `main` (at the top, else the only one), else the only document, else the one that all others are
 * imported from.
 * @throws AppError WORKFLOW_NOT_FOUND when there is none or the choice is unclear
 */
export async function findMain(tree: SourceTree, question: MainQuestion, ask: Ask): Promise<string> {
  const isDocument = (uri: string) => question.accepts(baseOf(uri));
  const top = (await tree.list("top", ask)).filter((uri) => isDocument(uri) && isMain(uri));
  const [atTop] = top;
  if (atTop !== undefined && top.length === 1 && (await outlineOf(tree, atTop, question, ask)).workflow)
    return atTop;
  const all = (await tree.list("all", ask)).filter(isDocument);
  const [only] = all;
  if (only === undefined) throw unclear(tree, `there is no ${question.name} document in it`);
  if (all.length === 1) return only;
  const mains = top.length > 0 ? top : all.filter(isMain);
  if (mains.length > 1)
    throw unclear(tree, `it has ${mains.length} documents called main: ${listed(mains, tree)}${choose}`);
  if (all.length > mostOutlines)
    throw unclear(tree, `it has ${all.length} documents${noneIsMain(all, tree)}`);
  const outlines = new Map<string, Outline>();
  for (const uri of all) outlines.set(uri, await outlineOf(tree, uri, question, ask));
  const [main] = mains;
  return main === undefined ? importerOf(tree, outlines) : checkedMain(tree, main, outlines);
}

/** The only document called main, unless another document imports it as a part. */
function checkedMain(tree: SourceTree, main: string, outlines: ReadonlyMap<string, Outline>): string {
  const workflows = [...outlines].filter(([, { workflow }]) => workflow).map(([uri]) => uri);
  if (workflows.length > 0 && !workflows.includes(main)) {
    const what =
      workflows.length === 1 ? "another document has a workflow" : "other documents have workflows";
    const why = `${shown(main, tree)} has no workflow, and ${what}: ${listed(workflows, tree)}`;
    throw unclear(tree, why + choose);
  }
  const importers = [...outlines].filter(([, { references }]) => references.includes(main));
  if (importers.length > 0 && [...outlines.keys()].some((uri) => depthOf(uri) < depthOf(main))) {
    const uris = importers.map(([uri]) => uri);
    throw unclear(tree, `${shown(main, tree)} is imported by ${listed(uris, tree)}${choose}`);
  }
  return main;
}

/** The document with a workflow that brings in all others, and is nobody's part. */
function importerOf(tree: SourceTree, outlines: ReadonlyMap<string, Outline>): string {
  const all = [...outlines.keys()];
  const imported = new Set(
    [...outlines].flatMap(([uri, { references }]) => references.filter((each) => each !== uri)),
  );
  const roots = all.filter((uri) => !imported.has(uri));
  const [root] = roots;
  if (root !== undefined && roots.length === 1 && outlines.get(root)?.workflow === true) {
    const reached = new Set([root]);
    for (const uri of reached) for (const each of outlines.get(uri)?.references ?? []) reached.add(each);
    // A test in its own folder imports everything, too, and is not what is meant.
    const higher = all.filter((uri) => outlines.get(uri)?.workflow === true && depthOf(uri) < depthOf(root));
    if (higher.length === 0 && all.every((uri) => reached.has(uri))) return root;
    if (higher.length > 0)
      throw unclear(tree, `it has several workflows${noneIsMain([root, ...higher], tree)}`);
  }
  const candidates = roots.length > 0 ? roots : all;
  const many = candidates.length === 1 ? "one document" : `${candidates.length} documents`;
  throw unclear(tree, `it has ${many}${noneIsMain(candidates, tree)}`);
}

/** With references as URIs. */
async function outlineOf(tree: SourceTree, uri: string, question: MainQuestion, ask: Ask): Promise<Outline> {
  const source = await tree.read(uri, ask);
  if (source === undefined) return { references: [], workflow: false };
  const { references, workflow } = await question.outline(source);
  return {
    references: references.map((reference) => tree.resolve(reference.replace(/#.*$/s, ""), uri)),
    workflow,
  };
}

const choose = "; say which one to run with main";

function noneIsMain(uris: readonly string[], tree: SourceTree): string {
  return ` and none is called main: ${listed(uris, tree)}${choose}`;
}

function unclear(tree: SourceTree, found: string): AppError {
  return new AppError("WORKFLOW_NOT_FOUND", `looking for the main document of ${tree.name}: ${found}`);
}

function listed(uris: readonly string[], tree: SourceTree): string {
  const names = uris
    .slice(0, 8)
    .map((uri) => shown(uri, tree))
    .join(", ");
  return uris.length > 8 ? `${names}, …` : names;
}

/** As it is given for `main`. */
function shown(uri: string, tree: SourceTree): string {
  const root = `${tree.resolve(".", undefined).replace(/\/+$/, "")}/`;
  return uri.startsWith(root) ? uri.slice(root.length) : uri;
}

function depthOf(uri: string): number {
  return uri.split("/").length;
}

function isMain(uri: string): boolean {
  return /^main\./i.test(baseOf(uri));
}

function baseOf(uri: string): string {
  return uri.slice(uri.lastIndexOf("/") + 1);
}
