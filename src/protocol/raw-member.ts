/**
 * The raw text of one member of a JSON object: documents such as `parameters` are kept as they were sent, because
 * 1 and 1.0, and integers beyond 2^53, differ for a workflow. The text must already be known to be valid JSON.
 */
export function rawMember(json: string, name: string): string | undefined {
  let found: string | undefined;
  // As JSON.parse does, the last of equal names wins.
  for (const [key, text] of membersOf(json)) if (key === name) found = text;
  return found;
}

/** Every member, in one pass. */
export function rawMembers(json: string): ReadonlyMap<string, string> {
  return new Map(membersOf(json));
}

/** The raw texts of a list's items; empty for anything else. */
export function* rawItems(json: string): Generator<string> {
  let at = skipSpace(json, 0);
  if (json[at] !== "[") return;
  at = skipSpace(json, at + 1);
  while (at < json.length && json[at] !== "]") {
    const end = endOfValue(json, at);
    yield json.slice(at, end);
    at = skipSpace(json, end);
    if (json[at] === ",") at = skipSpace(json, at + 1);
  }
}

function* membersOf(json: string): Generator<readonly [name: string, text: string]> {
  let at = skipSpace(json, 0);
  if (json[at] !== "{") return;
  at = skipSpace(json, at + 1);
  while (json[at] === '"') {
    const keyEnd = endOfString(json, at);
    const key = JSON.parse(json.slice(at, keyEnd)) as string;
    const start = skipSpace(json, skipSpace(json, keyEnd) + 1);
    const end = endOfValue(json, start);
    yield [key, json.slice(start, end)];
    at = skipSpace(json, end);
    if (json[at] === ",") at = skipSpace(json, at + 1);
  }
}

function endOfValue(json: string, start: number): number {
  const first = json[start];
  if (first === '"') return endOfString(json, start);
  if (first !== "{" && first !== "[") {
    let at = start;
    while (at < json.length && !",]} \t\r\n".includes(json[at] ?? "")) at++;
    return at;
  }
  let depth = 0;
  for (let at = start; at < json.length; at++) {
    const c = json[at];
    if (c === '"') at = endOfString(json, at) - 1;
    else if (c === "{" || c === "[") depth++;
    else if (c === "}" || c === "]") {
      depth--;
      if (depth === 0) return at + 1;
    }
  }
  return json.length;
}

function endOfString(json: string, start: number): number {
  let at = start + 1;
  while (at < json.length && json[at] !== '"') at += json[at] === "\\" ? 2 : 1;
  return at + 1;
}

function skipSpace(json: string, start: number): number {
  let at = start;
  while (json[at] === " " || json[at] === "\n" || json[at] === "\r" || json[at] === "\t") at++;
  return at;
}
