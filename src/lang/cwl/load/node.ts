/** A document as data with places: what YAML and JSON texts become before anything is known of CWL. */
import type { Place } from "../model/place.ts";

export type Node = ScalarNode | ListNode | MapNode;

export interface ScalarNode {
  readonly kind: "scalar";
  readonly value: null | boolean | number | bigint | string;
  readonly place: Place;
}

export interface ListNode {
  readonly kind: "list";
  readonly items: readonly Node[];
  readonly place: Place;
}

export interface MapNode {
  readonly kind: "map";
  readonly entries: readonly Entry[];
  readonly place: Place;
}

export interface Entry {
  readonly name: string;
  readonly namePlace: Place;
  readonly value: Node;
}

/** Of a name given twice the last counts. */
export function entryOf(node: Node, name: string): Entry | undefined {
  return node.kind === "map" ? node.entries.findLast((entry) => entry.name === name) : undefined;
}

export function field(node: Node, name: string): Node | undefined {
  return entryOf(node, name)?.value;
}

/** The text of a scalar that is one. */
export function textOf(node: Node | undefined): string | undefined {
  return node?.kind === "scalar" && typeof node.value === "string" ? node.value : undefined;
}

/** For messages: what a node is. */
export function describe(node: Node): string {
  switch (node.kind) {
    case "list":
      return "a list";
    case "map":
      return "a map";
    case "scalar":
      if (node.value === null) return "null";
      if (typeof node.value === "string")
        return node.value.length > 40 ? "a text" : `the text "${node.value.replaceAll("\n", " ")}"`;
      return typeof node.value === "boolean" ? `the boolean ${node.value}` : `the number ${node.value}`;
  }
}
