/**
 * A body before it is parsed: how deep and how long it is, and where its large blobs are. Only the text around them is
 * ever parsed, so that a request of any size costs one look at its bytes. What is not JSON is found by the parser.
 */
export interface BodyBounds {
  readonly textBytes: number;
  /** Members of the outermost object whose base64 text is cut out. */
  readonly blobs: ReadonlySet<string>;
}

export type BodyText =
  | {
      readonly kind: "text";
      /** The body with `""` for each blob that was cut out. */
      readonly bytes: Uint8Array;
      /** Base64 as it was sent. */
      readonly cut: ReadonlyMap<string, Uint8Array>;
    }
  | { readonly kind: "refused"; readonly reason: string };

/** Walkers of values recurse. */
const maxDepth = 100;
/** Values of a body: parsers make an object of each. */
const maxValues = 500_000;
/** Shorter blobs stay in the text. */
const cutFromBytes = 64 * 1024;

/** A readme of 500 Ki characters, each of them escaped. */
const longestEscaped = 6 * 1024 * 1024;

const quote = 0x22;
const backslash = 0x5c;

export function boundedText(body: Uint8Array, bounds: BodyBounds): BodyText {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.length);
  const kept: Buffer[] = [];
  const cut = new Map<string, Uint8Array>();
  let depth = 0;
  let values = 0;
  let textBytes = 0;
  /** What precedes is in `kept`. */
  let from = 0;
  let lastText = { start: 0, end: 0 };
  let member: string | undefined;
  for (let at = 0; at < bytes.length; at++) {
    switch (bytes[at]) {
      case quote: {
        const end = endOfText(bytes, at, bounds.textBytes);
        if (end === undefined) return refused(tooLong(bounds));
        if (depth === 1 && member !== undefined && bounds.blobs.has(member) && end - at > cutFromBytes) {
          cut.set(member, bytes.subarray(at + 1, end));
          kept.push(bytes.subarray(from, at + 1));
          from = end;
        } else {
          textBytes += end - at;
          // As the parser does it: the last of equal names counts.
          if (depth === 1 && member !== undefined) cut.delete(member);
          lastText = { start: at + 1, end };
        }
        at = end;
        break;
      }
      case 0x3a:
        if (depth === 1)
          member = bytes.toString("latin1", lastText.start, Math.min(lastText.end, lastText.start + 64));
        break;
      case 0x7b:
      case 0x5b:
        values++;
        if (++depth > maxDepth) return refused(`the body is nested deeper than ${maxDepth} levels`);
        break;
      case 0x7d:
      case 0x5d:
        depth--;
        break;
      case 0x2c:
        values++;
        if (depth === 1) member = undefined;
        break;
      default:
        break;
    }
    textBytes++;
    if (textBytes > bounds.textBytes) return refused(tooLong(bounds));
    if (values > maxValues) return refused(`the body has more than ${maxValues} values`);
  }
  if (cut.size === 0) return { kind: "text", bytes, cut };
  kept.push(bytes.subarray(from));
  return { kind: "text", bytes: Buffer.concat(kept), cut };
}

/**
 * Where the closing quote is; the end of the bytes when there is none. undefined for a long text with escaped quotes,
 * which is not base64 and too long for anything else: each of them would be a stop of this loop.
 */
function endOfText(bytes: Buffer, start: number, most: number): number | undefined {
  for (let at = start; ; ) {
    const end = bytes.indexOf(quote, at + 1);
    if (end < 0) return bytes.length;
    let escapes = 0;
    while (bytes[end - 1 - escapes] === backslash && escapes < most) escapes++;
    if (escapes % 2 === 0) return end;
    if (end - start > Math.min(most, longestEscaped)) return undefined;
    at = end;
  }
}

function tooLong({ textBytes }: BodyBounds): string {
  return `the body is larger than ${textBytes} bytes, which no request of this operation needs`;
}

function refused(reason: string): BodyText {
  return { kind: "refused", reason };
}
