/**
 * Whether a text could be a SMILES string: a cheap look at the grammar (atoms, bonds, balanced branches, paired ring
 * numbers), not chemistry. It decides only one thing: is the first line of a file a header or a molecule?
 */
const tokens = /\[[^[\]\s]+\]|Br|Cl|[BCNOPSFI]|[bcnops]|%\d\d|\d|[-=#$:/\\.~()]/gy;

export function looksLikeMolecule(text: string): boolean {
  if (text.length === 0) return false;
  let depth = 0;
  let atoms = 0;
  let aromatic = false;
  const rings = new Map<string, number>();
  tokens.lastIndex = 0;
  let at = 0;
  for (let match = tokens.exec(text); match !== null; match = tokens.exec(text)) {
    const token = match[0];
    at = tokens.lastIndex;
    if (token === "(") depth++;
    else if (token === ")") depth--;
    else if (/^[%\d]/.test(token)) rings.set(token, (rings.get(token) ?? 0) + 1);
    else if (/^[[A-Za-z]/.test(token)) {
      atoms++;
      if (/^[bcnops]/.test(token)) aromatic = true;
    }
    if (depth < 0) return false;
  }
  const paired = [...rings.values()].every((count) => count % 2 === 0);
  // Words such as "cas" or "no" are made of aromatic letters; real aromatic atoms are in rings.
  const inRing = !aromatic || rings.size > 0;
  return at === text.length && atoms > 0 && depth === 0 && paired && inRing;
}
