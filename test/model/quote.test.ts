/** How values that others chose are shown. */

import fc from "fast-check";
import { expect, test } from "vitest";
import { quote } from "../../server/model/quote.ts";

test("short text is shown as it is, nothing as nothing, the rest as JSON", () => {
  expect(quote("acme/app")).toBe("'acme/app'");
  expect(quote(undefined)).toBe("nothing");
  expect(quote(null)).toBe("nothing");
  expect(quote(["a", 1])).toBe("'['a',1]'");
});

test("nothing that comes out breaks a line, a terminal or an OAuth error", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: "binary", maxLength: 400 }), fc.jsonValue()), (value) => {
      expect(quote(value)).toMatch(/^[\x20-\x21\x23-\x5b\x5d-\x7e]{1,125}$/);
    }),
  );
});
