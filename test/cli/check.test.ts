/** `dogwatch check`: says everything that is wrong, or what is there. */

import { expect, test } from "vitest";
import { check } from "../../server/cli/check.ts";
import { examine } from "../../server/stages/decide/examine.ts";
import { env, fileWith, good } from "../config/example.ts";

const checked = (text: string) => {
  const file = fileWith(text);
  const { exitCode, output } = check({ file, env, examine });
  return { exitCode, output: output.replaceAll(file, "dogwatch.yaml") };
};

test("a good file: exit code 0 and a summary", () => {
  expect(checked(good)).toEqual({ exitCode: 0, output: "dogwatch.yaml is good: 1 issuer, 1 connection, 1 rule\n" });
});

test("notices come with it", () => {
  expect(checked(`${good}  observe: true\n`).output).toBe(
    "note: dogwatch.yaml:14:12 policy.observe: is on: what would be denied is forwarded and only recorded, except what destroys\n" +
      "dogwatch.yaml is good: 1 issuer, 1 connection, 1 rule\n",
  );
});

test("problems: exit code 2, one line each, and how many", () => {
  expect(checked(good.replace("publicUrl", "publikUrl").replace("live", "alive"))).toEqual({
    exitCode: 2,
    output:
      "dogwatch.yaml:1:1 publikUrl: unknown key; did you mean publicUrl?\n" +
      'dogwatch.yaml:8:25 connections.0.kind: "alive" is not one of live, sandbox; did you mean live?\n2 problems\n',
  });
});

test("no file: how to name one", () => {
  expect(check({ file: "/nowhere/dogwatch.yaml", env, examine })).toEqual({
    exitCode: 2,
    output:
      "/nowhere/dogwatch.yaml is not there: name yours, or begin with a copy of deploy/dogwatch.example.yaml; `dogwatch demo` needs none\n",
  });
});

test("as JSON: every problem with its place, and notices apart from them", () => {
  const json = (text: string): unknown => {
    const file = fileWith(text);
    const { output } = check({ file, env, examine, json: true });
    return JSON.parse(output.replaceAll(file, "dogwatch.yaml"));
  };
  expect(json(`${good}  observe: true\n`)).toEqual({
    file: "dogwatch.yaml",
    problems: [],
    notices: [
      {
        line: 14,
        column: 12,
        path: "policy.observe",
        message: "is on: what would be denied is forwarded and only recorded, except what destroys",
      },
    ],
  });
  expect(json(good.replace("publicUrl", "publikUrl"))).toEqual({
    file: "dogwatch.yaml",
    problems: [{ line: 1, column: 1, path: "publikUrl", message: "unknown key; did you mean publicUrl?" }],
    notices: [],
  });
  const none = check({ file: "/nowhere/dogwatch.yaml", env, examine, json: true });
  expect(none.exitCode).toBe(2);
  expect(JSON.parse(none.output)).toMatchObject({ problems: [{ line: 1, column: 1 }] });
});
