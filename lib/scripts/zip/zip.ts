import { constants, deflateRawSync } from 'node:zlib';

/** Version of the format that a reader needs for compressed files. */
const VERSION = 20;
const DEFLATED = 8;
/** 1 January 1980, the first day that the format knows: equal files make equal bytes. */
const DATE = 0x21;

/** A zip archive. Equal files make equal bytes, on any machine and at any time. */
export function zipOf(files: Readonly<Record<string, string>>): Buffer {
  const bodies: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [file, text] of Object.entries(files)) {
    const name = Buffer.from(file);
    const content = Buffer.from(text);
    // Without a search for repeated words, in which builds of zlib differ by version and processor.
    const packed = deflateRawSync(content, { strategy: constants.Z_RLE });
    const header = Buffer.concat([
      numbers([2, VERSION], [2, 0], [2, DEFLATED], [2, 0], [2, DATE]),
      numbers([4, crc32(content)], [4, packed.length], [4, content.length], [2, name.length], [2, 0]),
    ]);
    bodies.push(numbers([4, 0x04034b50]), header, name, packed);
    const attributes = numbers([2, 0], [2, 0], [2, 0], [4, 0], [4, offset]);
    directory.push(numbers([4, 0x02014b50], [2, VERSION]), header, attributes, name);
    offset += 4 + header.length + name.length + packed.length;
  }
  const entries = Object.keys(files).length;
  const size = directory.reduce((sum, { length }) => sum + length, 0);
  const end = numbers([4, 0x06054b50], [2, 0], [2, 0], [2, entries], [2, entries], [4, size], [4, offset], [2, 0]);
  return Buffer.concat([...bodies, ...directory, end]);
}

/** Numbers of so many bytes each, the lowest byte first. */
function numbers(...fields: [bytes: number, value: number][]): Buffer {
  return Buffer.concat(
    fields.map(([bytes, value]) => {
      const buffer = Buffer.alloc(bytes);
      buffer.writeUIntLE(value, 0, bytes);
      return buffer;
    }),
  );
}

// Node's own is newer than the oldest Node that the library runs on.
function crc32(content: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of content) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) {
      crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
    }
  }
  return ~crc >>> 0;
}
