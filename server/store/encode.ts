/** PostgreSQL's binary format for arrays, which a batch of receipts travels in: one array a column. */

type Encode<T> = (value: T) => Buffer;

/** A column of a batch: its element's OID (pg_type.dat, stable since PostgreSQL 8) and how one value is written. */
export type Column<T> = { readonly oid: number; readonly encode: Encode<T> };

const sized = (size: number, write: (buffer: Buffer) => void): Buffer => {
  const buffer = Buffer.allocUnsafe(size);
  write(buffer);
  return buffer;
};

/** Text cannot hold NUL in PostgreSQL, and one such value would fail its whole batch. */
const utf8: Encode<string> = (value) => Buffer.from(value.includes("\0") ? value.replaceAll("\0", "\uFFFD") : value);

/** Microseconds since 2000-01-01, as timestamptz counts. */
const microseconds = (date: Date): bigint => (BigInt(date.getTime()) - 946_684_800_000n) * 1000n;

export const uuid: Column<string> = { oid: 2950, encode: (value) => Buffer.from(value.replaceAll("-", ""), "hex") };
export const int4: Column<number> = { oid: 23, encode: (value) => sized(4, (buffer) => buffer.writeInt32BE(value)) };
export const int8: Column<number> = {
  oid: 20,
  encode: (value) => sized(8, (buffer) => buffer.writeBigInt64BE(BigInt(value))),
};
export const text: Column<string> = { oid: 25, encode: utf8 };
export const json: Column<unknown> = { oid: 114, encode: (value) => Buffer.from(JSON.stringify(value)) };
/** JSON that is text already. */
export const jsonText: Column<string> = { oid: 114, encode: (value) => Buffer.from(value) };
export const bytea: Column<Buffer> = { oid: 17, encode: (value) => value };
export const timestamptz: Column<Date> = {
  oid: 1184,
  encode: (value) => sized(8, (buffer) => buffer.writeBigInt64BE(microseconds(value))),
};

/** One-dimensional array in binary format (`array_recv` in src/backend/utils/adt/arrayfuncs.c). */
export const array = <T>(column: Column<T>, values: readonly (T | null)[]): Buffer => {
  const items = values.map((value) => (value === null ? null : column.encode(value)));
  const size = items.reduce((sum, item) => sum + 4 + (item?.length ?? 0), 20);
  const buffer = Buffer.allocUnsafe(size);
  buffer.writeInt32BE(1, 0);
  buffer.writeInt32BE(items.includes(null) ? 1 : 0, 4);
  buffer.writeUInt32BE(column.oid, 8);
  buffer.writeInt32BE(items.length, 12);
  buffer.writeInt32BE(1, 16);
  let at = 20;
  for (const item of items) {
    at = buffer.writeInt32BE(item?.length ?? -1, at);
    if (item !== null) at += item.copy(buffer, at);
  }
  return buffer;
};
