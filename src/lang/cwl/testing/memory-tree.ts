/** A source tree of texts, for tests of loading. */
import { posix } from "node:path";
import { defined, freshAsk, renderDiagnostic } from "../../../kernel/index.ts";
import type { SourceTree } from "../../core/index.ts";
import { checkProcess } from "../check/check-process.ts";
import { loadDocument } from "../load/load.ts";
import type { CwlDocument } from "../model/document.ts";

/** Paths are below `/docs/`. */
export function memoryTree(texts: Readonly<Record<string, string>>): SourceTree {
  return {
    name: "/docs",
    read: async (uri) => {
      const name = uri.replace(/^\/docs\//, "");
      const text = Object.hasOwn(texts, name) ? texts[name] : undefined;
      return text === undefined ? undefined : { name, text };
    },
    resolve: (reference, from) =>
      posix.resolve(from === undefined ? "/docs" : posix.dirname(from), reference),
    hostPathOf: (uri) => uri,
    list: async () => Object.keys(texts).map((name) => `/docs/${name}`),
    listFolder: async () => undefined,
  };
}

export interface TextAnswer {
  readonly document?: CwlDocument;
  /** `name:line:column severity code: message`, errors and warnings alike. */
  readonly said: readonly string[];
}

/** Loads and checks `main.cwl`, or the only text that is given. */
export async function loadText(
  texts: string | Readonly<Record<string, string>>,
  fragment = "",
): Promise<TextAnswer> {
  const tree = memoryTree(typeof texts === "string" ? { "main.cwl": texts } : texts);
  const answer = await loadDocument({ tree, uri: "/docs/main.cwl", fragment, lenient: false }, freshAsk());
  const { document } = answer;
  const all = [...answer.diagnostics, ...(document === undefined ? [] : checkProcess(document.process))];
  const said = all.map((each) => renderDiagnostic(each).split("\n")[0] ?? "");
  return { said, ...defined({ document }) };
}
