/** How large a type is when everything in it is written out. */
import type { StructType, WdlType } from "./type.ts";

export interface Extent {
  /** Of structs, with those of the structs in them, each as often as it is met. */
  readonly members: number;
  /** Structs inside structs. */
  readonly depth: number;
}

const none: Extent = { members: 0, depth: 0 };

/** Each struct is measured once, however often it is met. */
export class TypeExtents {
  readonly #known = new Map<StructType["members"], Extent>();

  of(type: WdlType): Extent {
    switch (type.kind) {
      case "array":
        return this.of(type.item);
      case "map":
        return together([this.of(type.key), this.of(type.value)]);
      case "pair":
        return together([this.of(type.left), this.of(type.right)]);
      case "struct":
        return this.#struct(type);
      default:
        return none;
    }
  }

  #struct({ members }: StructType): Extent {
    const known = this.#known.get(members);
    if (known !== undefined) return known;
    const inner = together([...members.values()].map((member) => this.of(member)));
    const extent = { members: members.size + inner.members, depth: inner.depth + 1 };
    this.#known.set(members, extent);
    return extent;
  }
}

function together(all: readonly Extent[]): Extent {
  return all.reduce(
    (sum, each) => ({ members: sum.members + each.members, depth: Math.max(sum.depth, each.depth) }),
    none,
  );
}
