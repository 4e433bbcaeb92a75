/** Forms with one file (multipart/form-data, RFC 7578), as programs send them that upload by a signed form. */

export interface Form {
  readonly fields: ReadonlyMap<string, string>;
  readonly file: Uint8Array;
}

const mostParts = 50;

/** undefined for anything but a whole form with a part called `file`. */
export function filePart(contentType: string, body: Uint8Array): Form | undefined {
  const [, quoted, plain] =
    /^multipart\/form-data\s*;.*\bboundary=(?:"([^"]+)"|([^\s;]+))/i.exec(contentType) ?? [];
  const boundary = quoted ?? plain;
  if (boundary === undefined) return undefined;
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const mark = Buffer.from(`--${boundary}`);
  const fields = new Map<string, string>();
  let file: Uint8Array | undefined;
  let at = bytes.indexOf(mark);
  for (let parts = 0; at >= 0 && parts < mostParts; parts++) {
    const start = at + mark.length;
    if (bytes.toString("latin1", start, start + 2) === "--")
      return file === undefined ? undefined : { fields, file };
    const headEnd = bytes.indexOf("\r\n\r\n", start);
    const end = bytes.indexOf(Buffer.concat([Buffer.from("\r\n"), mark]), start);
    if (headEnd < 0 || end < headEnd + 2) return undefined;
    const name = /^content-disposition:\s*form-data;.*?\bname="([^"]*)"/im.exec(
      bytes.toString("utf8", start, headEnd),
    )?.[1];
    const content = bytes.subarray(headEnd + 4, Math.max(end, headEnd + 4));
    if (name === "file") file = content;
    else if (name !== undefined) fields.set(name, content.toString("utf8"));
    at = end + 2;
  }
  return undefined;
}
