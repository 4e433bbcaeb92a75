/** Which document and which process of it the user means: `wf.cwl`, `wf.cwl#main`, or nothing at all. */
import type { Ask } from "../../../kernel/index.ts";
import { findMain, type SourceTree } from "../../core/index.ts";

export interface MainProcess {
  readonly uri: string;
  /** Without `#`; "" = the document decides. */
  readonly fragment: string;
}

/** Whether a file name looks like CWL. YAML and JSON are only CWL when somebody says so. */
export function acceptsName(name: string): boolean {
  return /\.cwl(?:\.(?:json|ya?ml))?$/i.test(name);
}

/** A name may contain `#`: the document that is there wins over the fragment. */
export async function resolveMain(
  tree: SourceTree,
  main: string | undefined,
  target: string | undefined,
  ask: Ask,
): Promise<MainProcess> {
  const wished = target?.replace(/^#/, "");
  const at = main?.lastIndexOf("#") ?? -1;
  if (main !== undefined && at > 0) {
    const whole = await tree.read(tree.resolve(main, undefined), ask);
    if (whole === undefined)
      return { uri: tree.resolve(main.slice(0, at), undefined), fragment: wished ?? main.slice(at + 1) };
  }
  const uri = await findMain(tree, { main, accepts: acceptsName, language: "CWL" }, ask);
  return { uri, fragment: wished ?? "" };
}
