/** Tokens of masks in what was recorded: each stands for a value of its kind at its place, and for nothing else. */

import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { writeToken } from "../../../server/stages/mask/token/text.ts";
import { doubleOf } from "./recorded.ts";

const token = (kind: string): string => {
  const payload = randomBytes(40);
  payload.writeUInt16BE(payload.length, 1);
  return writeToken(kind, payload);
};

test("any value of the kind is the same request, and what stands around it has to be there", async () => {
  const { ask } = await doubleOf([
    {
      call: "POST /api/v1/monitor",
      sent: { name: "n", message: `mail ${token("email")} now`, key: token("github-token") },
    },
  ]);
  const sent = (message: string, key: unknown = "anything") =>
    ask("POST /api/v1/monitor", { body: { name: "n", message, key } });
  expect((await sent("mail ann@example.com now")).n).toBe(1);
  expect((await sent(`mail ${token("email")} now`, token("github-token"))).n).toBe(1);
  expect((await sent("mail ann@example.com later")).code).toBe("not_recorded");
  expect((await sent("mail nobody now")).code).toBe("not_recorded");
  expect((await sent("mail  now")).code).toBe("not_recorded");
  expect((await sent("mail ann@example.com now", 7)).code).toBe("not_recorded");
  expect((await sent("mail ann@example.com now", "")).code).toBe("not_recorded");
});

test("a difference elsewhere is told, and a masked place is none", async () => {
  const { ask } = await doubleOf([{ call: "POST /api/v1/monitor", sent: { name: "n", to: token("email") } }]);
  const { errors } = await ask("POST /api/v1/monitor", { body: { name: "m", to: "ann@example.com" } });
  expect(errors[0]).toMatch(/\): body\.name: recorded "n", sent "m"$/);
  const wrong = await ask("POST /api/v1/monitor", { body: { name: "n", to: "nobody" } });
  expect(wrong.errors[0]).toMatch(/\): body\.to: recorded "\[email\]", sent "nobody"$/);
});

test("in paths and queries too", async () => {
  const { ask } = await doubleOf([
    { call: `GET /api/v2/users/${token("email")}` },
    { call: `GET /api/v1/monitor?name=${token("email")}&page=0` },
  ]);
  expect((await ask("GET /api/v2/users/ann%40example.com")).n).toBe(1);
  expect((await ask("GET /api/v2/users/ann")).code).toBe("not_recorded");
  expect((await ask("GET /api/v1/monitor?page=0&name=ann@example.com")).n).toBe(2);
  expect((await ask("GET /api/v1/monitor?page=1&name=ann@example.com")).code).toBe("not_recorded");
});

test("calls that differ beside what is masked stay apart, and so do those that differ in what is", async () => {
  const { ask } = await doubleOf([
    { call: "POST /api/v1/monitor", sent: { name: "a", to: token("email") } },
    { call: "POST /api/v1/monitor", sent: { name: "b", to: token("email") } },
    { call: "POST /api/v1/monitor", sent: { name: token("field"), to: "x" } },
    { call: "POST /api/v1/monitor", sent: { name: "a", to: "plain@example.com" } },
  ]);
  const sent = async (name: string, to: string) => (await ask("POST /api/v1/monitor", { body: { name, to } })).n;
  expect(await sent("b", "ann@example.com")).toBe(2);
  expect(await sent("a", "ann@example.com")).toBe(1);
  expect(await sent("whatever", "x")).toBe(3);
  expect(await sent("a", "plain@example.com")).toBe(4);
});
