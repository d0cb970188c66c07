/** A request that was not recorded: what it is told, and what it is never told. */

import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { doubleOf } from "./recorded.ts";

const body = {
  name: "CPU",
  message: "high @slack-ops",
  options: { thresholds: { critical: 90, warning: 80 } },
  tags: ["a"],
};

describe("the closest recorded call", { timeout: 120_000 }, () => {
  const calls = [
    { call: "GET /api/v1/monitor/42" },
    { call: "GET /api/v1/monitor?name=x" },
    { call: "POST /api/v1/monitor", sent: body },
    { call: "POST /api/v1/monitor", sent: { ...body, name: "Disk", message: "full", tags: [] } },
    { call: "PUT /api/v1/monitor/42", sent: body },
    { call: "DELETE /api/v1/dashboard/abc" },
  ];

  test.each([
    ["GET /api/v1/monitor/43", undefined, 1, 'path: recorded "/api/v1/monitor/42", sent "/api/v1/monitor/43"'],
    ["GET /api/v1/monitor?name=y", undefined, 2, 'query.name: recorded "x", sent "y"'],
    [
      "POST /api/v1/monitor",
      { ...body, options: { thresholds: { critical: 95, warning: 80 } } },
      3,
      "body.options.thresholds.critical: recorded 90, sent 95",
    ],
    ["POST /api/v1/monitor", { ...body, name: "Disk", message: "full" }, 4, 'body.tags[0]: not recorded, sent "a"'],
    ["DELETE /api/v1/monitor/42", undefined, 1, 'method: recorded "GET", sent "DELETE"'],
    ["POST /api/v1/monitors", body, 3, 'path: recorded "/api/v1/monitor", sent "/api/v1/monitors"'],
  ] as const)("of %s %j is call %d: %s", async (call, sent, n, why) => {
    const { ask, double } = await doubleOf(calls);
    const told = await ask(call, sent === undefined ? {} : { body: sent });
    expect(told).toMatchObject({ status: 403, code: "not_recorded", n: null });
    expect(told.errors[0]).toContain(`the closest is call ${n} (`);
    expect(told.errors[0]?.endsWith(`: ${why}`), told.errors[0]).toBe(true);
    expect(double.asked).toMatchObject({ unansweredCount: 1, unanswered: [{ code: "not_recorded", n }] });
  });

  test("is the one whose path is nearest, among many of one operation", async () => {
    const { ask } = await doubleOf(
      Array.from({ length: 300 }, (_, i) => ({ call: `GET /api/v1/monitor/${1000 + i}/downtimes` })),
    );
    expect((await ask("GET /api/v1/monitor/1150x/downtimes")).errors[0]).toMatch(/closest is call 15\d \(/);
  });

  test("is found among thousands that differ in more", async () => {
    const many = Array.from({ length: 3_000 }, (_, i) => ({
      call: "POST /api/v1/monitor",
      sent: { ...body, name: `monitor ${i}`, message: `message ${i}`, query: `avg:${i}`, priority: i },
    }));
    const { ask } = await doubleOf(many);
    const sent = { ...many[1_234]?.sent, priority: 7 };
    expect((await ask("POST /api/v1/monitor", { body: sent })).errors[0]).toMatch(
      /closest is call 1235 .*: body\.priority: recorded 1234, sent 7$/,
    );
  });

  test("with other times is told by what else differs", async () => {
    const { ask } = await doubleOf([{ call: "GET /api/v1/query?from=1700000000&to=1700000900&query=x" }]);
    const { errors } = await ask("GET /api/v1/query?from=1800000000&to=1800000900&query=y");
    expect(errors[0]).toMatch(/\): query\.query: recorded "x", sent "y"$/);
  });
});

describe("a message", { timeout: 120_000 }, () => {
  test("is bounded, on one line, whatever was sent", async () => {
    const { ask } = await doubleOf([{ call: "POST /api/v1/monitor", sent: { name: "x" } }]);
    const sent = Object.fromEntries(
      Array.from({ length: 5_000 }, (_, i) => [`field\n${i}`.repeat(50), "v".repeat(500)]),
    );
    for (const [call, options] of [
      ["POST /api/v1/monitor", { body: sent }],
      [`GET /${"a".repeat(1_000_000)}`, {}],
      [`GET /api/v1/monitor?${"b".repeat(1_000_000)}`, {}],
      [`GET /${"a/".repeat(300_000)}`, {}],
      ["M".repeat(100_000).concat(" /x"), {}],
      ["POST /api/v1/monitor", { body: `{"a":${"[".repeat(100_000)}` }],
      ["POST /api/v1/monitor", { body: "\u001b[2J\n::set-output name=x::y" }],
    ] as const) {
      const { errors, status } = await ask(call, options);
      expect(status).toBe(403);
      expect(errors[0]?.length).toBeLessThan(4_000);
      expect(errors[0]).not.toMatch(/[\n\r\u001b]/);
    }
  });

  test("says how many more differences there are", async () => {
    const wide = (value: number) => Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`f${i}`, value]));
    const { ask } = await doubleOf([{ call: "POST /api/v1/monitor", sent: wide(1) }]);
    const { errors } = await ask("POST /api/v1/monitor", { body: wide(2) });
    expect(errors[0]).toMatch(/body\.f7: recorded 1, sent 2; 12 more differences$/);
  });

  test("shows nothing that a recording would hide", async () => {
    const { ask, double } = await doubleOf([
      {
        call: "POST /api/v1/integration/webhooks/configuration/webhooks",
        sent: { name: "w", url: "https://x.example" },
      },
      { call: "GET /api/v1/api_key/{key}" },
      { call: "GET /api/v1/monitor?name=x" },
    ]);
    const secrets = [
      "ghp_0123456789abcdefghijABCDEFGHIJ012345",
      randomBytes(16).toString("hex"),
      "hunter2hunter2hunter2",
      "AKIAIOSFODNN7EXAMPLE",
    ];
    const [github = "", key = "", password = "", aws = ""] = secrets;
    const told = [
      await ask("POST /api/v1/integration/webhooks/configuration/webhooks", {
        body: {
          name: "w",
          url: `https://user:${password}@hooks.example/${github}`,
          custom_headers: JSON.stringify({ Authorization: `Bearer ${password}` }),
          nested: { password, api_key: key, note: `the key is ${aws}` },
        },
      }),
      await ask("POST /api/v1/integration/webhooks/configuration/webhooks", {
        body: `api_key=${key}&password=${password}&note=${github}`,
        type: "application/x-www-form-urlencoded",
      }),
      await ask("POST /api/v1/integration/webhooks/configuration/webhooks", {
        body: `{"a": "${github}", "a": "${aws}"}`,
      }),
      await ask("POST /x", { body: Buffer.from(github), encoding: "gzip" }),
      await ask(`DELETE /api/v1/api_key/${key}`),
      await ask(`GET /api/v1/monitor?name=y&api_key=${key}&password=${password}&q=${github}`, {
        headers: [["Authorization", `Bearer ${password}`]],
      }),
      await ask(`GET /api/v1/monitor/${github}`),
    ];
    const said = `${told.map(({ text }) => text).join("\n")}${JSON.stringify(double.asked.unanswered)}`;
    for (const secret of secrets) expect(said).not.toContain(secret);
    expect(said).toContain('body.url: recorded \\"https://x.example\\", sent \\"https://');
    expect(told.every(({ code }) => code === "not_recorded")).toBe(true);
  });
});

test("names of an object's own machinery are names like any other", async () => {
  const { ask } = await doubleOf([
    { call: "POST /api/v1/monitor?__proto__=a&constructor=b", sent: '{"__proto__":{"x":1},"constructor":"c"}' },
  ]);
  expect(
    (await ask("POST /api/v1/monitor?constructor=b&__proto__=a", { body: '{"constructor":"c","__proto__":{"x":1}}' }))
      .n,
  ).toBe(1);
  expect(
    (await ask("POST /api/v1/monitor?__proto__=a&constructor=b", { body: '{"__proto__":{"x":2},"constructor":"c"}' }))
      .errors[0],
  ).toContain("body.__proto__.x: recorded 1, sent 2");
  expect((await ask("POST /__proto__/constructor")).code).toBe("not_recorded");
});

test("of an empty body and a recorded one, and the other way round", async () => {
  const { ask } = await doubleOf([
    { call: "POST /api/v1/monitor", sent: { a: 1 } },
    { call: "POST /api/v1/dashboard" },
  ]);
  expect((await ask("POST /api/v1/monitor")).errors[0]).toContain(
    'content: recorded "JSON", sent "nothing"; body: recorded an object of 1, sent null',
  );
  expect((await ask("POST /api/v1/dashboard", { body: [1, 2] })).errors[0]).toContain(
    "body: recorded null, sent a list of 2",
  );
});
