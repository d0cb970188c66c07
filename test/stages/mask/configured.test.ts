/** What a configuration says about masks means something, or is told what is wrong with it, at its place. */

import { describe, expect, test } from "vitest";
import type { MaskSource } from "../../../server/model/config.ts";
import { areMasks, readMasks } from "../../../server/stages/mask/configured.ts";
import { kindsOf } from "../../../server/stages/mask/detect/kinds.ts";

const source = (more: Partial<MaskSource>): MaskSource => ({
  name: "m",
  detect: [],
  fields: [],
  where: ["reply", "recording"],
  ...more,
});
const faults = (...sources: Partial<MaskSource>[]) => {
  const read = readMasks(sources.map(source));
  if (areMasks(read)) throw new Error("nothing is wrong");
  return read;
};

test("groups are their kinds, and kinds themselves", () => {
  const read = readMasks([source({ detect: ["network", "email"] })]);
  if (!areMasks(read)) throw new Error("wrong");
  expect(read[0]?.kinds).toEqual(new Set([...kindsOf("network"), "email"]));
});

test("no masks are no masks", () => {
  expect(readMasks([])).toEqual([]);
});

describe("wrong", () => {
  test.for<[string, Partial<MaskSource>, (string | number)[], string]>([
    [
      "a kind nobody knows",
      { detect: ["email", "emial"] },
      ["detect", 1],
      "emial is no kind of value; did you mean email?",
    ],
    [
      "a kind far from any",
      { detect: ["blood-type"] },
      ["detect", 0],
      "blood-type is no kind of value; the groups are secret, personal, network",
    ],
    ["a path", { fields: ["$.a", "b"] }, ["fields", 1], "must begin with $"],
    ["nothing at all", {}, [], "masks nothing"],
    [
      "a detector's name",
      { detectors: [{ name: "Customer Id", pattern: "C\\d+" }] },
      ["detectors", 0, "name"],
      "must be lower case letters",
    ],
    [
      "a built-in name",
      { detectors: [{ name: "email", pattern: "C\\d+" }] },
      ["detectors", 0, "name"],
      "email is a kind that is built in",
    ],
    [
      "a name that tokens have",
      { detectors: [{ name: "field", pattern: "C\\d+" }] },
      ["detectors", 0, "name"],
      "field is a kind that is built in",
    ],
    [
      "a pattern that is none",
      { detectors: [{ name: "x", pattern: "C(\\d+" }] },
      ["detectors", 0, "pattern"],
      "is no regular expression of RE2",
    ],
    ["lookaround", { detectors: [{ name: "x", pattern: "C(?=\\d)" }] }, ["detectors", 0, "pattern"], "lookaround"],
    [
      "a pattern that is everywhere",
      { detectors: [{ name: "x", pattern: "C*" }] },
      ["detectors", 0, "pattern"],
      "matches the empty text",
    ],
    [
      "two groups",
      { detectors: [{ name: "x", pattern: "(C)(\\d)" }] },
      ["detectors", 0, "pattern"],
      "more than one group",
    ],
    [
      "a pattern that is too large",
      { detectors: [{ name: "x", pattern: "([a-z]{1,900}[0-9]{1,900}x){1}" }] },
      ["detectors", 0, "pattern"],
      "too large",
    ],
    [
      "a pattern that is too long",
      { detectors: [{ name: "x", pattern: "a".repeat(1_001) }] },
      ["detectors", 0, "pattern"],
      "longer than 1000",
    ],
  ])("%s", ([, more, path, message]) => {
    expect(faults(more)).toEqual([
      expect.objectContaining({ path: ["policy", "masks", 0, ...path], message: expect.stringContaining(message) }),
    ]);
  });

  test("a path's fault has its column", () => {
    expect(faults({ fields: ["$.a..*.b[x]"] })[0]).toMatchObject({ offset: 9 });
  });

  test("a detector's name in two masks", () => {
    const detectors = [{ name: "customer", pattern: "C\\d+" }];
    expect(faults({ detectors }, { detectors })).toEqual([
      {
        path: ["policy", "masks", 1, "detectors", 0, "name"],
        message: "customer is used twice; every detector must have its own name",
      },
    ]);
  });

  test("everything that is wrong is told, not only the first", () => {
    expect(faults({ detect: ["x1", "y1"], fields: ["z"] }, { detect: ["w1"] })).toHaveLength(4);
  });
});
