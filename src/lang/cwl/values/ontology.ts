/** Which file formats are kinds of which others, as ontologies say it. */
export interface Ontology {
  /** Whether a file of format `actual` may stand where `wanted` is asked for: equal, a subclass, or equivalent. */
  accepts(actual: string, wanted: string): boolean;
}

/** `[narrow, wide]` pairs: rdfs:subClassOf; owl:equivalentClass gives one in each direction. */
export function createOntology(pairs: Iterable<readonly [string, string]>): Ontology {
  const wider = new Map<string, string[]>();
  for (const [narrow, wide] of pairs) {
    const known = wider.get(narrow);
    if (known === undefined) wider.set(narrow, [wide]);
    else known.push(wide);
  }
  return {
    accepts(actual, wanted) {
      const seen = new Set([actual]);
      for (const each of seen) {
        if (each === wanted) return true;
        for (const next of wider.get(each) ?? []) seen.add(next);
      }
      return false;
    },
  };
}
