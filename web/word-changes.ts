/** The words that two texts share, by their longest common subsequence. */

export interface WordChange {
  readonly kind: "same" | "removed" | "added";
  readonly text: string;
}

/** More words than this are not compared word by word: the table would have millions of fields. */
const mostWords = 1500;

export function wordChanges(before: string, after: string): readonly WordChange[] {
  const left = before.match(/\s+|[\w.-]+|[^\s\w]/g) ?? [];
  const right = after.match(/\s+|[\w.-]+|[^\s\w]/g) ?? [];
  let start = 0;
  while (start < left.length && start < right.length && left[start] === right[start]) start++;
  let end = 0;
  while (
    end < left.length - start &&
    end < right.length - start &&
    left[left.length - 1 - end] === right[right.length - 1 - end]
  )
    end++;
  const [a, b] = [left.slice(start, left.length - end), right.slice(start, right.length - end)];
  const changes: WordChange[] = [{ kind: "same", text: left.slice(0, start).join("") }];
  if (a.length > mostWords || b.length > mostWords)
    changes.push({ kind: "removed", text: a.join("") }, { kind: "added", text: b.join("") });
  else changes.push(...aligned(a, b));
  changes.push({ kind: "same", text: left.slice(left.length - end).join("") });
  return joined(changes);
}

function aligned(a: readonly string[], b: readonly string[]): readonly WordChange[] {
  const width = b.length + 1;
  const longest = new Uint16Array((a.length + 1) * width);
  const at = (i: number, j: number) => longest[i * width + j] ?? 0;
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--)
      longest[i * width + j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  const changes: WordChange[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    const [left, right] = [a[i], b[j]];
    if (left !== undefined && left === right) {
      changes.push({ kind: "same", text: left });
      i++;
      j++;
    } else if (left !== undefined && (right === undefined || at(i + 1, j) >= at(i, j + 1))) {
      changes.push({ kind: "removed", text: left });
      i++;
    } else {
      changes.push({ kind: "added", text: right ?? "" });
      j++;
    }
  }
  return changes;
}

function joined(changes: readonly WordChange[]): readonly WordChange[] {
  const result: WordChange[] = [];
  for (const change of changes) {
    const last = result.at(-1);
    if (change.text === "") continue;
    if (last !== undefined && last.kind === change.kind)
      result[result.length - 1] = { kind: last.kind, text: last.text + change.text };
    else result.push(change);
  }
  return result;
}
