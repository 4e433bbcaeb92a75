/** Which document and which process of it the user means: `wf.cwl`, `wf.cwl#main`, or nothing at all. */

import type { Ask, SourceText } from "../../../kernel/index.ts";
import { findMain, type Outline, type SourceTree } from "../../core/index.ts";
import { acceptsName } from "../accepts.ts";
import type { Node } from "./node.ts";
import { parseText } from "./yaml.ts";

export interface MainProcess {
  readonly uri: string;
  /** Without `#`; "" = the document decides. */
  readonly fragment: string;
}

/** Whether a file name looks like CWL. YAML and JSON are only CWL when somebody says so. */
/** A name may contain `#`: the document that is there wins over the fragment. */
export async function resolveMain(
  tree: SourceTree,
  main: string | undefined,
  target: string | undefined,
  ask: Ask,
): Promise<MainProcess> {
  const fragment = target?.replace(/^#/, "");
  const at = main?.lastIndexOf("#") ?? -1;
  if (main !== undefined && at > 0) {
    const whole = await tree.read(tree.resolve(main, undefined), ask);
    if (whole === undefined)
      return { uri: tree.resolve(main.slice(0, at), undefined), fragment: fragment ?? main.slice(at + 1) };
  }
  const uri =
    main === undefined
      ? await findMain(tree, { accepts: acceptsName, outline, name: "CWL" }, ask)
      : tree.resolve(main, undefined);
  return { uri, fragment: fragment ?? "" };
}

/** What steps run and documents import; whether there is a workflow, in a graph too. */
export async function outline(source: SourceText): Promise<Outline> {
  const { node } = await parseText(source);
  if (node === undefined) return { references: [], workflow: true };
  const references: string[] = [];
  let workflow = false;
  const left: Node[] = [node];
  for (let at = left.pop(); at !== undefined; at = left.pop()) {
    if (at.kind === "list") for (const item of at.items) left.push(item);
    if (at.kind !== "map") continue;
    for (const { name, value } of at.entries) {
      left.push(value);
      if (value.kind !== "scalar" || typeof value.value !== "string") continue;
      if (name === "class") workflow ||= value.value === "Workflow";
      else if (["run", "$import", "$include", "$mixin"].includes(name) && !value.value.startsWith("#"))
        references.push(value.value);
    }
  }
  return { references, workflow };
}
