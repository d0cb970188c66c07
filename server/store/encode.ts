/** PostgreSQL's binary format for arrays, which a batch of receipts travels in: one array a column. */

/** A column of a batch: its element's OID (pg_type.dat, stable since PostgreSQL 8), and how one value is written. */
export type Column<T> = {
  readonly oid: number;
  /** Bytes. */
  readonly size: (value: T) => number;
  /** There is room for all of it. */
  readonly write: (buffer: Buffer, value: T, at: number) => void;
};

/** Microseconds since 2000-01-01, as timestamptz counts. */
const microseconds = (date: Date): number => (date.getTime() - 946_684_800_000) * 1_000;

/** A double holds every integer that is asked for here. */
const writeInt8 = (buffer: Buffer, value: number, at: number): void => {
  buffer.writeInt32BE(Math.floor(value / 2 ** 32), at);
  buffer.writeUInt32BE(value - Math.floor(value / 2 ** 32) * 2 ** 32, at + 4);
};

/** Text cannot hold NUL in PostgreSQL, and one such value would fail its whole batch. */
const withoutNul = (value: string): string => (value.includes("\0") ? value.replaceAll("\0", "\uFFFD") : value);

export const uuid: Column<string> = {
  oid: 2950,
  size: () => 16,
  write: (buffer, value, at) => {
    // What is no uuid names nothing, rather than whatever stood in this memory.
    if (buffer.write(value.replaceAll("-", ""), at, 16, "hex") < 16) buffer.fill(0, at, at + 16);
  },
};
export const int4: Column<number> = {
  oid: 23,
  size: () => 4,
  write: (buffer, value, at) => void buffer.writeInt32BE(value, at),
};
export const int8: Column<number> = { oid: 20, size: () => 8, write: writeInt8 };
export const text: Column<string> = {
  oid: 25,
  size: (value) => Buffer.byteLength(withoutNul(value)),
  write: (buffer, value, at) => void buffer.write(withoutNul(value), at),
};
/** JSON that is text already. */
export const jsonText: Column<string> = { ...text, oid: 114 };
export const bytea: Column<Buffer> = {
  oid: 17,
  size: ({ length }) => length,
  write: (buffer, value, at) => void value.copy(buffer, at),
};
export const timestamptz: Column<Date> = {
  oid: 1184,
  size: () => 8,
  write: (buffer, value, at) => writeInt8(buffer, microseconds(value), at),
};

/** One-dimensional array in binary format (`array_recv` in src/backend/utils/adt/arrayfuncs.c). */
export const array = <T>(column: Column<T>, values: readonly (T | null)[]): Buffer => {
  const sizes = values.map((value) => (value === null ? -1 : column.size(value)));
  const buffer = Buffer.allocUnsafe(sizes.reduce((sum, size) => sum + 4 + Math.max(0, size), 20));
  buffer.writeInt32BE(1, 0);
  buffer.writeInt32BE(sizes.includes(-1) ? 1 : 0, 4);
  buffer.writeUInt32BE(column.oid, 8);
  buffer.writeInt32BE(values.length, 12);
  buffer.writeInt32BE(1, 16);
  let at = 20;
  for (const [i, size] of sizes.entries()) {
    const value = values[i] ?? null;
    at = buffer.writeInt32BE(size, at);
    if (value === null) continue;
    column.write(buffer, value, at);
    at += size;
  }
  return buffer;
};
