/** What a suite says about one of its cases, and what was known of it before. */
export interface CaseResult {
  readonly name: string;
  readonly kind: "passed" | "failed" | "excluded";
  readonly why?: string;
  /** What kind of trouble, for counting. */
  readonly of?: string;
}

/**
 * A case that is known not to pass.
 *
 *   text    the suite itself is wrong (a typing error, an expectation that contradicts its own text)
 *   needs   something this machine or an offline run does not have (an image, a GPU, the network)
 *   ours    Memoir does something else, with the reason
 */
export interface KnownCase {
  readonly because: "text" | "needs" | "ours";
  readonly reason: string;
  /** Where it does not pass; undefined = with every executor. */
  readonly executor?: "host" | "container" | "slurm";
  /** Where all of these are installed, the case is run. */
  readonly programs?: readonly string[];
}

export type KnownCases = Readonly<Record<string, KnownCase>>;

export interface Summary {
  readonly passed: number;
  /** Not passed, not known. */
  readonly failed: readonly CaseResult[];
  readonly known: readonly { readonly name: string; readonly known: KnownCase }[];
  /** Known not to pass, but it passes: the list is out of date. */
  readonly surprising: readonly string[];
}

export function summarise(results: readonly CaseResult[], known: KnownCases): Summary {
  const failed: CaseResult[] = [];
  const expected: { name: string; known: KnownCase }[] = [];
  const surprising: string[] = [];
  let passed = 0;
  for (const result of results) {
    const listed = known[result.name];
    if (result.kind === "passed") {
      passed++;
      if (listed !== undefined) surprising.push(result.name);
    } else if (listed !== undefined) expected.push({ name: result.name, known: listed });
    else failed.push(result);
  }
  return { passed, failed, known: expected, surprising };
}
