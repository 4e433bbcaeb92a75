/** An archive of one text file: all that a build from a Dockerfile alone needs. */

const block = 512;

/** A tar archive (ustar) with one file, the same bytes for the same text. `name`: at most 100 characters. */
export function tarOf(name: string, text: string): Uint8Array {
  const content = Buffer.from(text);
  const header = Buffer.alloc(block);
  header.write(name, 0, 100);
  // mode, uid, gid, size, mtime: octal digits and a zero byte.
  header.write("0000644\0", 100);
  header.write("0000000\0", 108);
  header.write("0000000\0", 116);
  header.write(`${content.length.toString(8).padStart(11, "0")}\0`, 124);
  header.write("00000000000\0", 136);
  header.write("        ", 148);
  header.write("0", 156);
  header.write("ustar\x0000", 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  const padding = Buffer.alloc((block - (content.length % block)) % block);
  return Buffer.concat([header, content, padding, Buffer.alloc(2 * block)]);
}
