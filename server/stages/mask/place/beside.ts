/** What decides where values go although it stands around the resource: beside `data`, `monitors`, or whatever a body wraps it in. */

import type { Destination } from "./place.ts";
import { fieldsIn, type Scope, writtenIn } from "./remember.ts";
import type { Layout } from "./resource.ts";

/** By name or value as in a resource; its paths are from the body's top. */
export const besideIn = (scope: Scope, { document }: Layout): readonly Destination[] => {
  if (document === null || document.held.start <= document.start) return [];
  const { bytes, masked } = scope;
  const { start, end, held } = document;
  // Without what it holds it is a document still, and mostly a short one.
  const around = Buffer.concat([bytes.subarray(start, held.start), nothing, bytes.subarray(held.end, end)]);
  const less = held.end - held.start - nothing.length;
  const outside = masked.flatMap((range) => {
    if (range.start >= held.start && range.start < held.end) return [];
    const shift = start + (range.start >= held.end ? less : 0);
    return [{ ...range, start: range.start - shift, end: range.end - shift }];
  });
  const shifted: Scope = { bytes: around, base: 0, masked: outside };
  return writtenIn(shifted, fieldsIn(shifted, "")).present;
};

const nothing = Buffer.from("0");
