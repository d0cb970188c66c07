/** JSON that people look at in a terminal: it says the same, and hides and moves nothing. */

import fc from "fast-check";
import { parse } from "lossless-json";
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
      // V8 13.6 may read the name "\u2028" as "\\" once it has seen an object with that name: a reader of its own says what is written.
      const written = parse(JSON.stringify(value));
      expect(parse(line)).toEqual(written);
      expect(parse(lines)).toEqual(written);
      expect(line).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
      expect(lines).not.toMatch(/[^\P{C}\n]|[\p{Zl}\p{Zp}]/u);
    }),
  );
});
