/** The lines that differ between two texts, short enough to be read. */

const mostLines = 12;
/** Beyond this many pairs of lines the middle is shown as replaced instead of being aligned. */
const mostPairs = 1_000_000;

/** `-old` and `+new` lines in order; at most twelve, then one line that shows how many more there are. */
export function lineDifferences(before: string, after: string): readonly string[] {
  const [a, b] = [before.split("\n"), after.split("\n")];
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  while (
    tail < a.length - head &&
    tail < b.length - head &&
    a[a.length - 1 - tail] === b[b.length - 1 - tail]
  )
    tail++;
  const lines = align(a.slice(head, a.length - tail), b.slice(head, b.length - tail));
  if (lines.length <= mostLines) return lines;
  return [...lines.slice(0, mostLines), `… and ${lines.length - mostLines} more lines`];
}

/** Longest common subsequence of the two middles; what is not in it was removed or added. */
function align(a: readonly string[], b: readonly string[]): string[] {
  if (a.length * b.length > mostPairs)
    return [...a.map((line) => `-${line}`), ...b.map((line) => `+${line}`)];
  const width = b.length + 1;
  const common = new Uint32Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--)
      common[i * width + j] =
        a[i] === b[j]
          ? at(common, (i + 1) * width + j + 1) + 1
          : Math.max(at(common, (i + 1) * width + j), at(common, i * width + j + 1));
  const lines: string[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      i++;
      j++;
    } else if (
      j >= b.length ||
      (i < a.length && at(common, (i + 1) * width + j) >= at(common, i * width + j + 1))
    )
      lines.push(`-${a[i++]}`);
    else lines.push(`+${b[j++]}`);
  }
  return lines;
}

function at(numbers: Uint32Array, index: number): number {
  return numbers[index] ?? 0;
}
