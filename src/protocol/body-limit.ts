/**
 * How large a request can be that keeps to its operation's table. Bodies are measured against it while they arrive:
 * what is larger breaks a constraint whatever it says, and is never parsed.
 */
import { unreachable } from "../kernel/index.ts";
import type { Operation } from "./operations.ts";
import type { Member, Shape } from "./shape.ts";

export interface BodyLimit {
  /** Bytes of the whole body. */
  readonly wholeBytes: number;
  /** Bytes of the body without the base64 text of its blobs. */
  readonly textBytes: number;
}

/** Room for white space, unknown members and small requests of every kind. */
const leastTextBytes = 1024 * 1024;
/** A batch of 100 runs with 256 KiB of parameters each. */
const mostTextBytes = 32 * 1024 * 1024;
/** A character outside ASCII as a pair of escapes: `\ud83d\ude00`. */
const bytesPerCharacter = 12;

export function bodyLimitOf(operation: Operation): BodyLimit {
  const members = operation.body?.members ?? {};
  const textBytes = Math.min(mostTextBytes, Math.max(leastTextBytes, 2 * membersBytes(members)));
  const blobs = Object.values(members).map(({ shape }) =>
    shape.kind === "blob" ? Math.ceil(shape.maxBytes / 3) * 4 : 0,
  );
  return { textBytes, wholeBytes: textBytes + blobs.reduce((sum, bytes) => sum + bytes, 0) };
}

function membersBytes(members: Readonly<Record<string, Member>>): number {
  return Object.entries(members).reduce(
    (sum, [name, { shape }]) => sum + name.length + 4 + bytesOf(shape),
    2,
  );
}

/** The longest JSON text of a good value, without white space; blobs are counted by themselves. */
function bytesOf(shape: Shape): number {
  switch (shape.kind) {
    case "string":
      return 2 + bytesPerCharacter * (shape.max ?? Math.max(0, ...(shape.oneOf ?? []).map((t) => t.length)));
    case "integer":
      return 20;
    case "boolean":
      return 5;
    case "blob":
      return 2;
    case "document":
      return shape.maxBytes;
    case "list":
      return 2 + (shape.max ?? 0) * (1 + bytesOf(shape.of));
    case "map":
      return 2 + (shape.max ?? 0) * (2 + bytesOf(shape.key) + bytesOf(shape.value));
    case "structure":
      return membersBytes(shape.members);
    default:
      return unreachable(shape);
  }
}
