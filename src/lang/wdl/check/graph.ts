/** Who waits for whom in a workflow, to find cycles across nested sections. */
import type { Steps } from "../../../kernel/index.ts";
import type { Name } from "../syntax/ast.ts";
import type { Context } from "./context.ts";
import { declarationCycle } from "./diagnostics-document.ts";
import { orderInSteps } from "./order.ts";
import type { Scope } from "./scope.ts";

/** Declarations and calls have a name, headers of sections go unnamed. */
export interface GraphNode {
  readonly label: Name | undefined;
  readonly names: Iterable<string>;
  /** Where the names are looked up. */
  readonly scope: Scope | undefined;
  /** The header of the section around it, or what a merged name stands for. */
  readonly others: readonly object[];
}

export class DependencyGraph {
  readonly #nodes = new Map<object, GraphNode>();

  add(node: object, needs: GraphNode): void {
    this.#nodes.set(node, needs);
  }

  /** One node that stands for several: a name that more than one clause declares. */
  together(nodes: readonly object[]): object {
    const [only] = nodes;
    if (nodes.length === 1 && only !== undefined) return only;
    const merged = {};
    this.#nodes.set(merged, { label: undefined, names: [], scope: undefined, others: nodes });
    return merged;
  }

  *reportCycles(context: Context): Steps<void> {
    const { cycles } = yield* orderInSteps([...this.#nodes.keys()], (node) => this.#dependencies(node));
    const reported = new Set<string>();
    for (const cycle of cycles) {
      const names = cycle.flatMap((node) => this.#nodes.get(node)?.label ?? []);
      const [first] = names;
      if (first === undefined) continue;
      // A cycle through the header of a section is met once for each way round it.
      const whole = names
        .map((each) => each.text)
        .sort()
        .join();
      if (reported.has(whole)) continue;
      reported.add(whole);
      context.report(
        declarationCycle(
          context.place(first.span),
          [...names, first].map((each) => each.text),
        ),
      );
    }
  }

  *#dependencies(node: object): Iterable<object> {
    const found = this.#nodes.get(node);
    if (found === undefined) return;
    yield* found.others;
    for (const name of found.names) {
      const entry = found.scope?.find(name);
      if (entry !== undefined) yield entry.node;
    }
  }
}
