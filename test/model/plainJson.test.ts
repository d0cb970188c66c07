/** JSON that people look at in a terminal: it says the same, and hides and moves nothing. */

import fc from "fast-check";
import { expect, test } from "vitest";
import { plainJson, plainJsonLines } from "../../server/model/plainJson.ts";

const odd = fc.constantFrom(
  "\u001b",
  "\u009b",
  "\u007f",
  "\u202e",
  "\u2066",
  "\u200b",
  "\u2028",
  "\ud800",
  "\u{e0041}",
);
const text = fc.string({ unit: fc.oneof(odd, fc.constantFrom("a", "\n", "\t", '"', "\\", "é", "日", "👩‍🚀")) });

test("what is written is what is read again, and nothing in it is unseen", () => {
  fc.assert(
    fc.property(fc.array(fc.dictionary(text, text)), (value) => {
      const [line, lines] = [plainJson(value), plainJsonLines(value)];
      expect(JSON.parse(line)).toEqual(JSON.parse(JSON.stringify(value)));
      expect(JSON.parse(lines)).toEqual(JSON.parse(JSON.stringify(value)));
      expect(line).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
      expect(lines).not.toMatch(/[^\P{C}\n]|[\p{Zl}\p{Zp}]/u);
    }),
  );
});
