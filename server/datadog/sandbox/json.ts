/** JSON that keeps 64-bit ids whole: integers beyond 2^53 are read as bigint and written back digit for digit. */

import { isInteger, isSafeNumber, parse, stringify } from "lossless-json";
import { z } from "zod";

export type Json = null | boolean | number | bigint | string | readonly Json[] | JsonObject;
export type JsonObject = { readonly [name: string]: Json | undefined };

/** @throws SyntaxError naming the place, when the text is not JSON. */
export const readJson = (text: string): Json =>
  // Only a long run of digits needs the careful reader, which takes a second for what the built-in one reads in milliseconds.
  (/\d{16}/.test(text) ? parse(text, undefined, readNumber) : JSON.parse(text)) as Json;

/** A value as it stands in a sentence: a string without its quotes. */
export const textOf = (value: Json | undefined): string =>
  typeof value === "string" ? value : writeJson(value ?? null);

export const writeJson = (value: Json): string => stringify(value) ?? "null";

const readNumber = (digits: string): number | bigint =>
  isInteger(digits) && !isSafeNumber(digits) ? BigInt(digits) : Number(digits);

/** Anything at all: what was read by `readJson` is JSON already. */
export const anything = z.custom<Json | undefined>(() => true);

/** An object whose other fields are kept as they came. */
export const loose = <T extends z.ZodRawShape>(shape: T) => z.object(shape).catchall(anything);

/** An object without some of its fields. */
export const except = (value: JsonObject, names: readonly string[]): JsonObject =>
  Object.fromEntries(Object.entries(value).filter(([name]) => !names.includes(name)));

/** The fields that a request states; what it leaves out must not overwrite what is there. */
export const stated = <T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as typeof fields;
