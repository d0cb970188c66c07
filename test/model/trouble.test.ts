/** A failure that comes again and again is said once, then every ten minutes, until it is over. */

import { expect, test } from "vitest";
import { Trouble } from "../../server/model/trouble.ts";

const minute = 60_000;

const start = () => {
  const said: string[] = [];
  let now = 0;
  const log = {
    info: (_: object, text: string) => void said.push(text),
    warn: (fields: object, text: string) => void said.push(`${text} ${"times" in fields ? String(fields.times) : ""}`),
    error: () => undefined,
  };
  const trouble = new Trouble({ log, monotonic: () => now }, "it waits");
  return { said, trouble, pass: (ms: number) => void (now += ms) };
};

test("what fails every second is said at once, and then every ten minutes", () => {
  const { said, trouble, pass } = start();
  for (let second = 0; second < 1_500; second++, pass(1_000)) trouble.failed(new Error("no answer"));
  expect(said).toEqual(["it waits 1", "it waits 601", "it waits 1201"]);
});

test("what fails in another way is said too, also where only the cause is another", () => {
  const { said, trouble } = start();
  for (const cause of ["locked", "full", "locked", "full"])
    trouble.failed(new Error("no answer", { cause: new Error(cause) }));
  expect(said).toEqual(["it waits 1", "it waits 2"]);
});

test("a failure that says something else each time does not fill the log", () => {
  const { said, trouble } = start();
  for (let n = 0; n < 1_000; n++) trouble.failed(new Error(`row ${n}`));
  expect(said).toHaveLength(10);
});

test("that it is over is said once, and the next failure is a new one", () => {
  const { said, trouble, pass } = start();
  trouble.worked();
  trouble.failed("gone");
  pass(minute);
  trouble.worked();
  trouble.worked();
  trouble.failed("gone");
  expect(said).toEqual(["it waits 1", "no longer: it waits", "it waits 1"]);
});
