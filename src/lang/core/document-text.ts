import { AppError, utf8Text } from "../../kernel/index.ts";

/**
 * Text of a document. Bytes that are not UTF-8 are refused: a placeholder in their place would silently change the command of a
 * task.
 * @throws AppError FILE_NOT_UTF8 with the line of the first such byte
 */
export function documentText(bytes: Uint8Array, uri: string): string {
  const text = utf8Text(bytes);
  if (text !== undefined) return text;
  throw new AppError("FILE_NOT_UTF8", `reading ${uri}: line ${firstBadLine(bytes)} is not UTF-8`);
}

/** Lines count from 1. A character of several bytes never contains a line feed, so lines can be looked at one by one. */
function firstBadLine(bytes: Uint8Array): number {
  let line = 1;
  for (let from = 0; from < bytes.length; line++) {
    const feed = bytes.indexOf(0x0a, from);
    const end = feed < 0 ? bytes.length : feed + 1;
    if (utf8Text(bytes.subarray(from, end)) === undefined) return line;
    from = end;
  }
  return line;
}
