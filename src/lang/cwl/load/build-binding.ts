/** How parameters and fields meet the command line, the output directory and files. */

import { defined } from "../../../kernel/index.ts";
import type {
  CommandLineBinding,
  FileDetails,
  LoadListing,
  OutputBinding,
  SecondaryFile,
} from "../model/binding.ts";
import type { Expr } from "../model/expression.ts";
import { atLeast } from "../model/version.ts";
import {
  type BuildContext,
  expandPrefix,
  expressionField,
  expressionOf,
  flagField,
  flagOrExpression,
  literalExpression,
  numberOrExpression,
  textField,
} from "./build-context.ts";
import { listField, startOf } from "./conform.ts";
import { field, type Node, textOf } from "./node.ts";

export function fileDetailsOf(node: Node, context: BuildContext): FileDetails {
  const loadListing = listingField(node);
  return {
    secondaryFiles: listField(node, "secondaryFiles").flatMap((each) => secondaryFileOf(each, context)),
    format: listField(node, "format").flatMap((each) => formatOf(each, context)),
    streamable: flagField(node, "streamable") ?? false,
    loadContents: flagField(node, "loadContents") ?? false,
    ...defined({ loadListing }),
  };
}

export function listingField(node: Node): LoadListing | undefined {
  const text = textField(node, "loadListing");
  return text === "no_listing" || text === "shallow_listing" || text === "deep_listing" ? text : undefined;
}

/** v1.1 and later: a `?` at the end of a pattern makes it optional. */
function secondaryFileOf(node: Node, context: BuildContext): SecondaryFile[] {
  if (node.kind === "map") {
    const pattern = expressionField(node, "pattern", context);
    if (pattern === undefined) return [];
    return [{ pattern, required: flagOrExpression(field(node, "required"), context) }];
  }
  const text = textOf(node);
  if (text === undefined) return [];
  if (atLeast(context.version, "v1.1") && text.endsWith("?") && !/\$[({]/.test(text))
    return [{ pattern: literalExpression(text.slice(0, -1), node.place), required: false }];
  const pattern = expressionOf(node, context);
  return pattern === undefined ? [] : [{ pattern, required: undefined }];
}

function formatOf(node: Node, context: BuildContext): Expr[] {
  const expr = expressionOf(node, context);
  if (expr === undefined) return [];
  const literal = expr.parts.every((part) => part.kind === "literal");
  return [literal ? literalExpression(expandPrefix(expr.text, context.text.namespaces), expr.place) : expr];
}

export function bindingOf(node: Node | undefined, context: BuildContext): CommandLineBinding | undefined {
  if (node?.kind !== "map") return undefined;
  const prefix = textField(node, "prefix");
  const itemSeparator = textField(node, "itemSeparator");
  const valueFrom = expressionField(node, "valueFrom", context);
  return {
    position: numberOrExpression(field(node, "position"), context) ?? 0,
    separate: flagField(node, "separate") ?? true,
    shellQuote: flagField(node, "shellQuote") ?? true,
    ...defined({ prefix, itemSeparator, valueFrom }),
    place: startOf(node.place),
  };
}

export function outputBindingOf(node: Node | undefined, context: BuildContext): OutputBinding | undefined {
  if (node?.kind !== "map") return undefined;
  const outputEval = expressionField(node, "outputEval", context);
  const loadListing = listingField(node);
  return {
    glob: listField(node, "glob").flatMap((each) => expressionOf(each, context) ?? []),
    loadContents: flagField(node, "loadContents") ?? false,
    ...defined({ outputEval, loadListing }),
    place: startOf(node.place),
  };
}
