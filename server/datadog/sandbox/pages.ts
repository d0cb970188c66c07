/** Pages as JSON:API services of Datadog's cut them: by number and size, or by offset and limit when nobody asks for a number. */

import type { JsonObject } from "./json.ts";
import { type Asked, count, slice } from "./route.ts";

type Page<T> = { readonly shown: readonly T[]; readonly meta: JsonObject; readonly links: JsonObject };

export const pageOfList = <T>(items: readonly T[], asked: Asked): Page<T> => {
  const numbered = asked.query.has("page[number]") || asked.query.has("page[size]");
  return numbered ? byNumber(items, asked) : byOffset(items, asked);
};

const byNumber = <T>(items: readonly T[], asked: Asked): Page<T> => {
  const size = Math.min(100, Math.max(1, count(asked, "page[size]", 10)));
  const number = count(asked, "page[number]", 0);
  const last = Math.max(0, Math.ceil(items.length / size) - 1);
  const to = (at: number): string => `${address(asked)}?page[number]=${at}&page[size]=${size}`;
  const places = { first_number: 0, prev_number: Math.max(0, number - 1), next_number: number + 1, last_number: last };
  return {
    shown: slice(items, { offset: number * size, limit: size }),
    meta: { pagination: { number, ...places, size, type: "number_size", total: items.length } },
    links: {
      self: self(asked),
      last: to(last),
      next: to(number + 1),
      prev: number === 0 ? null : to(number - 1),
      first: to(0),
    },
  };
};

const byOffset = <T>(items: readonly T[], asked: Asked): Page<T> => {
  const limit = Math.min(100, Math.max(1, count(asked, "page[limit]", 100)));
  const offset = count(asked, "page[offset]", 0);
  const last = Math.max(0, Math.ceil(items.length / limit) - 1) * limit;
  const to = (at: number): string => `${address(asked)}?page[offset]=${at}&page[limit]=${limit}`;
  const before = Math.max(0, offset - limit);
  const places = { first_offset: 0, prev_offset: before, next_offset: offset + limit, last_offset: last };
  return {
    shown: slice(items, { offset, limit }),
    meta: { pagination: { offset, ...places, limit, type: "offset_limit", total: items.length } },
    links: {
      self: self(asked),
      last: last === 0 ? null : to(last),
      next: to(offset + limit),
      prev: offset === 0 ? null : to(before),
      first: to(0),
    },
  };
};

const address = ({ headers, path }: Asked): string => `https://${headers.host ?? "api.datadoghq.com"}${path}`;

const self = (asked: Asked): string =>
  asked.query.size === 0 ? address(asked) : `${address(asked)}?${asked.query.toString()}`;
