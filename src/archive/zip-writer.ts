/**
 * Writes a .zip as a stream, member by member, whatever its size: sizes and checksums follow each member, and what does
 * not fit 32 bits is written as ZIP64 (https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT).
 */
import { Readable } from "node:stream";
import { crc32, createDeflateRaw, deflateRawSync } from "node:zlib";

export interface ZipMember {
  /** With `/`; a folder's ends with one. */
  readonly path: string;
  /** What is expected; only decides whether there is room for a large size. */
  readonly bytes: number;
  readonly kind: "file" | "program" | "link" | "folder";
  chunks(): AsyncIterable<Uint8Array>;
}

interface Written {
  readonly name: Buffer;
  readonly mode: number;
  readonly crc: number;
  readonly bytes: number;
  readonly packed: number;
  readonly offset: number;
}

const modes = { file: 0o100644, program: 0o100755, link: 0o120777, folder: 0o40755 } as const;
const most32 = 0xffffffff;
const most16 = 0xffff;
/** Packing may make a member a little larger. */
const largeMember = 0xf0000000;
/** Packed at once: a stream takes longer to set up than to pack them. */
const smallMember = 64 * 1024;
/** Sizes follow the member; its name is UTF-8. */
const flags = 0x0808;
const deflated = 8;
/** 1 January 1980, the earliest that there is: equal members give equal bytes. */
const date = 0x21;
const needed = 45;

export async function* zipOf(members: AsyncIterable<ZipMember>): AsyncGenerator<Uint8Array> {
  const written: Written[] = [];
  let offset = 0;
  for await (const member of members) {
    const name = Buffer.from(member.path);
    const isLarge = member.bytes >= largeMember;
    const head = localHead(name, isLarge);
    yield head;
    const facts = { crc: 0, bytes: 0, packed: 0 };
    for await (const chunk of packedChunks(member, facts)) yield chunk;
    if (!isLarge && Math.max(facts.bytes, facts.packed) > most32)
      throw new Error(`invariant broken: ${member.path} is larger than was said`);
    yield descriptor(facts, isLarge);
    written.push({ name, mode: modes[member.kind], offset, ...facts });
    offset += head.length + facts.packed + (isLarge ? 24 : 16);
  }
  const central = Buffer.concat(written.map(centralHead));
  yield central;
  yield endOf(written.length, central.length, offset);
}

async function* packedChunks(
  member: ZipMember,
  facts: { crc: number; bytes: number; packed: number },
): AsyncGenerator<Uint8Array> {
  const counted = async function* () {
    for await (const chunk of member.chunks()) {
      facts.crc = crc32(chunk, facts.crc);
      facts.bytes += chunk.length;
      yield chunk;
    }
  };
  if (member.bytes <= smallMember) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of counted()) chunks.push(chunk);
    const packed = deflateRawSync(Buffer.concat(chunks));
    facts.packed = packed.length;
    yield packed;
    return;
  }
  const source = Readable.from(counted());
  const packer = createDeflateRaw();
  source.on("error", (error) => packer.destroy(error));
  try {
    for await (const chunk of source.pipe(packer)) {
      facts.packed += (chunk as Buffer).length;
      yield chunk as Buffer;
    }
  } finally {
    source.destroy();
  }
}

function localHead(name: Buffer, isLarge: boolean): Buffer {
  const head = Buffer.alloc(30);
  head.writeUInt32LE(0x04034b50, 0);
  head.writeUInt16LE(needed, 4);
  head.writeUInt16LE(flags, 6);
  head.writeUInt16LE(deflated, 8);
  head.writeUInt16LE(date, 12);
  head.writeUInt16LE(name.length, 26);
  if (!isLarge) return Buffer.concat([head, name]);
  head.fill(0xff, 18, 26);
  const room = Buffer.alloc(20);
  room.writeUInt16LE(1, 0);
  room.writeUInt16LE(16, 2);
  head.writeUInt16LE(room.length, 28);
  return Buffer.concat([head, name, room]);
}

function descriptor(facts: Pick<Written, "crc" | "bytes" | "packed">, isLarge: boolean): Buffer {
  const text = Buffer.alloc(isLarge ? 24 : 16);
  text.writeUInt32LE(0x08074b50, 0);
  text.writeUInt32LE(facts.crc, 4);
  if (isLarge) {
    text.writeBigUInt64LE(BigInt(facts.packed), 8);
    text.writeBigUInt64LE(BigInt(facts.bytes), 16);
  } else {
    text.writeUInt32LE(facts.packed, 8);
    text.writeUInt32LE(facts.bytes, 12);
  }
  return text;
}

function centralHead({ name, mode, crc, bytes, packed, offset }: Written): Buffer {
  const large = [bytes, packed, offset].filter((value) => value >= most32);
  const extra = Buffer.alloc(large.length === 0 ? 0 : 4 + 8 * large.length);
  if (large.length > 0) {
    extra.writeUInt16LE(1, 0);
    extra.writeUInt16LE(8 * large.length, 2);
    for (const [at, value] of large.entries()) extra.writeBigUInt64LE(BigInt(value), 4 + 8 * at);
  }
  const head = Buffer.alloc(46);
  head.writeUInt32LE(0x02014b50, 0);
  // Made on Unix: the mode is in the attributes.
  head.writeUInt16LE((3 << 8) | needed, 4);
  head.writeUInt16LE(needed, 6);
  head.writeUInt16LE(flags, 8);
  head.writeUInt16LE(deflated, 10);
  head.writeUInt16LE(date, 14);
  head.writeUInt32LE(crc, 16);
  head.writeUInt32LE(Math.min(packed, most32), 20);
  head.writeUInt32LE(Math.min(bytes, most32), 24);
  head.writeUInt16LE(name.length, 28);
  head.writeUInt16LE(extra.length, 30);
  head.writeUInt32LE(mode * 0x10000, 38);
  head.writeUInt32LE(Math.min(offset, most32), 42);
  return Buffer.concat([head, name, extra]);
}

function endOf(count: number, size: number, offset: number): Buffer {
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(Math.min(count, most16), 8);
  end.writeUInt16LE(Math.min(count, most16), 10);
  end.writeUInt32LE(Math.min(size, most32), 12);
  end.writeUInt32LE(Math.min(offset, most32), 16);
  if (count < most16 && size < most32 && offset < most32) return end;
  const large = Buffer.alloc(56);
  large.writeUInt32LE(0x06064b50, 0);
  large.writeBigUInt64LE(44n, 4);
  large.writeUInt16LE((3 << 8) | needed, 12);
  large.writeUInt16LE(needed, 14);
  large.writeBigUInt64LE(BigInt(count), 24);
  large.writeBigUInt64LE(BigInt(count), 32);
  large.writeBigUInt64LE(BigInt(size), 40);
  large.writeBigUInt64LE(BigInt(offset), 48);
  const locator = Buffer.alloc(20);
  locator.writeUInt32LE(0x07064b50, 0);
  locator.writeBigUInt64LE(BigInt(offset + size), 8);
  locator.writeUInt32LE(1, 16);
  return Buffer.concat([large, locator, end]);
}
