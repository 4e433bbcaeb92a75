/** How large a type is when everything that it names is written out. */
import type { Type } from "./type.ts";

export interface TypeExtent {
  /** Fields, items and members, each as often as it is met. */
  readonly parts: number;
  /** Types inside types. */
  readonly depth: number;
}

const single: TypeExtent = { parts: 1, depth: 1 };

/** Each type is measured once, however often it is met. */
export class TypeExtents {
  readonly #known = new Map<Type, TypeExtent>();

  of(type: Type): TypeExtent {
    const inner = innerTypes(type);
    if (inner.length === 0) return single;
    const known = this.#known.get(type);
    if (known !== undefined) return known;
    let parts = 1;
    let depth = 0;
    for (const each of inner) {
      const extent = this.of(each);
      parts += extent.parts;
      depth = Math.max(depth, extent.depth);
    }
    const extent = { parts, depth: depth + 1 };
    this.#known.set(type, extent);
    return extent;
  }
}

function innerTypes(type: Type): readonly Type[] {
  switch (type.kind) {
    case "array":
      return [type.items];
    case "record":
      return type.fields.map((each) => each.type);
    case "union":
      return type.members;
    default:
      return [];
  }
}
