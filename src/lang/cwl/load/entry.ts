/** How processes are named and found in their documents, and which version they are written in. */
import { basename } from "node:path";
import type { InputParameter } from "../model/parameter.ts";
import type { CwlVersion } from "../model/version.ts";
import { unsupported } from "../unsupported.ts";
import { type BuildContext, say, textField } from "./build-context.ts";
import { fragmentOf, type LoadedText } from "./documents.ts";
import { describe, type MapNode, type Node, textOf } from "./node.ts";

/** Reports versions that are not known. */
export function parseVersion(
  written: Node,
  context: Pick<BuildContext, "report" | "lenient">,
): CwlVersion | undefined {
  const text = textOf(written) ?? "";
  const stable =
    /^(?:cwl:|https:\/\/w3id\.org\/cwl\/cwl#)?(v1\.[0-2])(?:\.(?:0-)?dev[0-9]+|-dev[0-9]+|\.0-dev[0-9]+)?$/.exec(
      text,
    )?.[1];
  if (stable === "v1.0" || stable === "v1.1" || stable === "v1.2") return stable;
  context.report({
    code: unsupported.version,
    severity: "error",
    message: `cwlVersion is ${describe(written)}, expected v1.0, v1.1 or v1.2`,
    source: written.place.source,
    span: written.place.span,
    help: "cwl-upgrader turns older documents into v1.0 and later",
  });
  return undefined;
}

/** The process that a fragment names, or the one to run when none is given: the root, or `main`. */
export function processNamed(text: LoadedText, fragment: string): MapNode | undefined {
  if (fragment !== "")
    return text.processes.get(fragment) ?? text.processes.get(fragment.replace(/^main\//, ""));
  const [only] = text.processes.values();
  return (
    text.processes.get("") ?? text.processes.get("main") ?? (text.processes.size === 1 ? only : undefined)
  );
}

/** Absolute: the document, and the fragment where there is one. */
export function idOf(uri: string, fragment: string, node: MapNode): string {
  const own = textField(node, "id");
  const part = fragment === "" && own !== undefined ? fragmentOf(own) : fragment;
  return part === "" ? uri : `${uri}#${part}`;
}

/** `/a/tool.cwl` -> `tool`. */
export function nameOfUri(uri: string): string {
  return basename(uri).replace(/\.[^.]+$/, "");
}

export function refuseTwins(
  named: readonly { readonly name: string; readonly place: InputParameter["place"] }[],
  what: string,
  context: BuildContext,
): void {
  const seen = new Set<string>();
  for (const each of named) {
    if (seen.has(each.name))
      say(context, each.place, "cwl-twice", `the ${what} ${each.name} is declared twice`);
    seen.add(each.name);
  }
}
