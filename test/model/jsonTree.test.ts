/** JSON as a tree that knows its places: what is not touched keeps every character, and what two readers could differ about is no tree. */

import fc from "fast-check";
import { expect, test } from "vitest";
import { type JsonNode, readTree, withReplaced } from "../../server/model/jsonTree.ts";

const valueOf = (node: JsonNode): unknown => {
  switch (node.kind) {
    case "object":
      return Object.fromEntries([...node.members].map(([name, { value }]) => [name, valueOf(value)]));
    case "array":
      return node.items.map(valueOf);
    case "string":
      return node.value;
    case "number":
      return Number(node.text);
    case "word":
      return JSON.parse(node.text);
    default:
      return node satisfies never;
  }
};

const plain = fc.jsonValue({ maxDepth: 5 }).filter((value) => !JSON.stringify(value).includes("__proto__"));

test("it is what JSON.parse reads, and every value stands where it says", () => {
  fc.assert(
    fc.property(plain, fc.constantFrom(0, 1, 2), (value, indent) => {
      const text = JSON.stringify(value, null, indent);
      const tree = readTree(text);
      if (tree === null) throw new Error(`no tree of ${text}`);
      expect(valueOf(tree)).toEqual(JSON.parse(text));
      expect(text.slice(tree.start, tree.end)).toBe(text);
      if (tree.kind === "array")
        for (const item of tree.items) expect(valueOf(item)).toEqual(JSON.parse(text.slice(item.start, item.end)));
    }),
  );
});

test("one place is written anew, and every other character stays", () => {
  const text = ' { "a" : [1.0, 18446744073709551617 ,"\\u0062"],\n "c":null } ';
  const tree = readTree(text);
  const list = tree?.kind === "object" ? tree.members.get("a")?.value : undefined;
  const second = list?.kind === "array" ? list.items[1] : undefined;
  if (second?.kind !== "number") throw new Error("no number");
  expect(second.text).toBe("18446744073709551617");
  expect(withReplaced(text, [{ ...second, text: "9" }])).toBe(' { "a" : [1.0, 9 ,"\\u0062"],\n "c":null } ');
});

test.each([
  "",
  "{",
  '{"a":1,"a":2}',
  "[1,]",
  "01",
  "+1",
  "NaN",
  "'a'",
  '"\n"',
  '"\\x"',
  "1 2",
  "\ufeff1",
  `${"[".repeat(200)}${"]".repeat(200)}`,
])("%j is no tree", (text) => {
  expect(readTree(text)).toBeNull();
});
