/** Values that would go elsewhere although their own place is the same, and write-backs that ask nobody: what decides where a value is sent is known by name, or by nobody. */

import { describe, expect, test } from "vitest";
import { masksOf, operation, reply, restore, sealingOf, tokensIn } from "./setting.ts";

type Operation = ReturnType<typeof operation>;

/** Reads `body`, lets `change` alter what was read, writes it back. */
const outcomesOf = async <T extends object>(
  body: T,
  change: (read: T) => unknown,
  {
    get,
    put,
    masks = masksOf({ detect: ["secret", "email"] }),
  }: { readonly get: Operation; readonly put: Operation; readonly masks?: ReturnType<typeof masksOf> },
): Promise<readonly string[]> => {
  const read = JSON.parse(await reply(JSON.stringify(body), { of: get, masks })) as T;
  expect(tokensIn(JSON.stringify(read))).not.toEqual([]);
  return restore(JSON.stringify(change(read) ?? read), { of: put }).outcomes;
};

const both = (path: string, method = "PUT") => ({ get: operation("GET", path), put: operation(method, path) });
const opensNothing = (outcomes: readonly string[]): boolean => !outcomes.includes("restored");

describe("a value goes elsewhere, and nobody is asked", () => {
  const synthetic = {
    name: "login",
    type: "api",
    subtype: "http",
    message: "",
    config: {
      request: {
        method: "POST",
        url: "https://{{ HOST }}.example.com/in",
        headers: { Authorization: "Bearer mF_9.B5f-4.1JqM8xK2vLq7Tz3" },
      },
      configVariables: [{ type: "global", name: "HOST", id: "11111111-1111-4111-8111-111111111111" }],
    },
  };

  test("a synthetic test: the variable of its URL is another one", async () => {
    const outcomes = await outcomesOf(
      synthetic,
      ({
        config: {
          configVariables: [one],
        },
      }) => void Object.assign(one ?? {}, { id: "22222222-2222-4222-8222-222222222222" }),
      both("/api/v1/synthetics/tests/abc-def-ghi"),
    );
    expect(opensNothing(outcomes)).toBe(true);
  });

  test("a synthetic test: the variable of its URL has another text", async () => {
    const outcomes = await outcomesOf(
      {
        ...synthetic,
        config: {
          request: { ...synthetic.config.request, url: "https://{{ HOST }}/in" },
          configVariables: [{ type: "text", name: "HOST", pattern: "good-internal", example: "" }],
        },
      },
      ({
        config: {
          configVariables: [one],
        },
      }) => void Object.assign(one ?? {}, { pattern: "evil-internal" }),
      both("/api/v1/synthetics/tests/abc-def-ghi"),
    );
    expect(opensNothing(outcomes)).toBe(true);
  });

  const workflow = {
    data: {
      id: "w1",
      type: "workflows",
      attributes: {
        name: "tell",
        spec: {
          connectionEnvs: [{ env: "default", connections: [{ connectionId: "c-good", label: "SLACK" }] }],
          steps: [
            {
              name: "send",
              actionId: "com.datadoghq.slack.send_simple_message",
              connectionLabel: "SLACK",
              parameters: [
                { name: "teamId", value: "T0GOOD" },
                { name: "channel", value: "C0GOOD" },
                { name: "group", value: "Ops team" },
                { name: "text", value: "call ann@example.com" },
              ],
            },
          ],
        },
      },
    },
  };
  test.for<[string, string, string]>([
    ["the channel of a message", "C0GOOD", "C0EVIL"],
    ["a group whose name has two words", "Ops team", "Evil team"],
    ["such a group, by a name that is as long as a text", "Ops team", `Evil team${" of evil".repeat(20)}`],
    ["the Slack team of a message", "T0GOOD", "T0EVIL"],
    ["the connection of a step", "c-good", "c-evil"],
    ["the action of a step", "slack.send_simple_message", "telegram.send"],
  ])("a workflow: %s", async ([, was, is]) => {
    const outcomes = await outcomesOf(
      workflow,
      (read) => JSON.parse(JSON.stringify(read).replace(was, is)) as object,
      both("/api/v2/workflows/w1", "PATCH"),
    );
    expect(opensNothing(outcomes)).toBe(true);
  });

  const sentence = `What to do when the queue is long:${" wait and look again".repeat(10)}`;
  test.for<[string, string, string, boolean]>([
    ["a team of two words", "Ops people", "Evil people", true],
    ["a name instead of a text", sentence, "Evil people", true],
    ["a text for people, longer than any name, which is edited", sentence, `${sentence} and again`, false],
    ["a host is put into that text", sentence, `${sentence} at evil.example`, true],
  ])("a field that nobody knows: %s", async ([, was, is, isAsked]) => {
    const outcomes = await outcomesOf(
      { id: 7, query: "x", message: "call ann@example.com", options: { team: was } },
      (read) => ({ ...read, options: { team: is } }),
      both("/api/v1/monitor/7"),
    );
    expect(opensNothing(outcomes)).toBe(isAsked);
  });

  test.for<[string, string, string]>([
    ["another customer of the same service", "c-good", "c-evil"],
    ["another service", "google_chronicle", "crowdstrike_next_gen_siem"],
  ])("a pipeline that adds the value to every log: %s", async ([, was, is]) => {
    const outcomes = await outcomesOf(
      {
        data: {
          id: "p1",
          type: "pipelines",
          attributes: {
            name: "main",
            config: {
              sources: [{ id: "in", type: "datadog_agent" }],
              processors: [
                {
                  id: "add",
                  type: "add_fields",
                  fields: [{ name: "owner", value: "ann@example.com" }],
                  inputs: ["in"],
                },
              ],
              destinations: [{ id: "out", type: "google_chronicle", customer_id: "c-good", inputs: ["add"] }],
            },
          },
        },
      },
      (read) => JSON.parse(JSON.stringify(read).replace(was, is)) as object,
      both("/api/v2/obs-pipelines/pipelines/p1"),
    );
    expect(opensNothing(outcomes)).toBe(true);
  });

  const monitor = both("/api/v1/monitor/17");
  test("a monitor: the value leaves the condition under which only some get it", async () => {
    const outcomes = await outcomesOf(
      {
        name: "m",
        query: "q",
        message:
          "{{#is_alert}} owner is ann@example.com @ops-team {{/is_alert}} {{#is_recovery}} all well @slack-public {{/is_recovery}}",
      },
      (read) => {
        const [token = ""] = tokensIn(read.message);
        return {
          ...read,
          message: `owner is ${token} {{#is_alert}} @ops-team {{/is_alert}} {{#is_recovery}} all well @slack-public {{/is_recovery}}`,
        };
      },
      monitor,
    );
    expect(opensNothing(outcomes)).toBe(true);
  });

  test("a monitor: who is told goes by its tags (notification rules)", async () => {
    const outcomes = await outcomesOf(
      { name: "m", query: "q", message: "owner is ann@example.com", tags: ["team:ops"] },
      (read) => ({ ...read, tags: ["team:contractors"] }),
      monitor,
    );
    expect(opensNothing(outcomes)).toBe(true);
  });

  test("a dashboard: a picture whose address has the template variable in it that holds the value", async () => {
    const outcomes = await outcomesOf(
      {
        title: "d",
        layout_type: "ordered",
        template_variables: [{ name: "owner", prefix: "owner", defaults: ["ann@example.com"] }],
        widgets: [] as object[],
      },
      (read) => ({
        ...read,
        widgets: [{ definition: { type: "note", content: "![](https://evil.example/p.png?v=$owner.value)" } }],
      }),
      both("/api/v1/dashboard/abc-def-ghi"),
    );
    expect(opensNothing(outcomes)).toBe(true);
  });

  test.for<[string, string, string]>([
    ["an IPv6 address", "2001:db8::1", "2001:db8:bad::1"],
    ["a host whose dot is another one (IDNA: U+3002)", "good\u3002example", "evil\u3002example"],
    ["a host of one label and its port", "good:8443", "evil:8443"],
  ])("a text that is a host: %s", async ([, was, is]) => {
    const outcomes = await outcomesOf(
      { config: { secret: "hunter2hunter2", target: was } },
      (read) => ({ config: { ...read.config, target: is } }),
      { ...both("/api/v1/synthetics/tests/abc-def-ghi"), masks: masksOf({ fields: ["$.config.secret"] }) },
    );
    expect(opensNothing(outcomes)).toBe(true);
  });
});

describe("another resource", () => {
  test.for<[string, string, object]>([
    ["of an operation that nobody knows", "/api/v2/new/things", { counts: {} }],
    ["of AWS accounts", "/api/v1/integration/aws", { next_cursor: "x" }],
  ])(
    "%s: items of a list beside which an answer says something more go by their order only",
    async ([, path, more]) => {
      const of = operation("GET", path);
      const list = (account_id: string, note: string) => ({ accounts: [{ account_id, note }], ...more });
      const [token = ""] = tokensIn(
        await reply(JSON.stringify(list("111", "ann@example.com")), { of, masks: masksOf({ detect: ["email"] }) }),
      );
      const put = operation("PUT", path);
      for (const body of [list("222", token), { accounts: list("222", token).accounts }]) {
        const { outcomes } = restore(JSON.stringify(body), { of: put, sealing: sealingOf(put) });
        expect(opensNothing(outcomes)).toBe(true);
      }
    },
  );
});

describe("what was read is written back without what nobody can write", () => {
  /** As https://docs.datadoghq.com/api/latest/monitors/ shows it. */
  const monitor = {
    id: 17,
    org_id: 1,
    name: "disk",
    type: "metric alert",
    query: "avg(last_5m):avg:system.disk.free{*} < 1",
    message: "owner is ann@example.com",
    tags: [],
    options: { thresholds: { critical: 1 } },
    created: "2026-01-01T00:00:00Z",
    creator: { id: 1, name: "Bob", email: "bob@example.com", handle: "bob@example.com" },
    overall_state: "OK",
  };
  test("a monitor without its creator", async () => {
    const outcomes = await outcomesOf(
      monitor,
      ({ name, type, query, message, tags }) => ({
        name,
        type,
        query,
        message,
        tags,
        options: { thresholds: { critical: 2 } },
      }),
      both("/api/v1/monitor/17"),
    );
    expect(outcomes).toEqual(["restored"]);
  });

  test("a dashboard without its author and its own address", async () => {
    const outcomes = await outcomesOf(
      {
        id: "abc-def-ghi",
        title: "d",
        layout_type: "ordered",
        author_handle: "bob@example.com",
        url: "/dashboard/abc-def-ghi/d",
        widgets: [{ definition: { type: "note", content: "owner is ann@example.com" } }],
      },
      ({ title, layout_type, widgets }) => ({ title, layout_type, widgets }),
      both("/api/v1/dashboard/abc-def-ghi"),
    );
    expect(outcomes).toEqual(["restored"]);
  });

  test("a notebook without its author", async () => {
    const outcomes = await outcomesOf(
      {
        data: {
          id: 5,
          type: "notebooks",
          attributes: {
            name: "n",
            author: { handle: "bob@example.com", email: "bob@example.com", icon: "https://secure.gravatar.com/x" },
            cells: [
              {
                type: "notebook_cells",
                attributes: { definition: { type: "markdown", text: "owner is ann@example.com" } },
              },
            ],
          },
        },
      },
      ({
        data: {
          type,
          attributes: { name, cells },
        },
      }) => ({ data: { type, attributes: { name, cells } } }),
      both("/api/v1/notebooks/5"),
    );
    expect(outcomes).toEqual(["restored"]);
  });

  test("an API test without who made it", async () => {
    const outcomes = await outcomesOf(
      {
        public_id: "abc-def-ghi",
        name: "login",
        type: "api",
        message: "owner is ann@example.com",
        creator: { name: "Bob", email: "bob@example.com", handle: "bob@example.com" },
        config: { request: { url: "https://good.example" } },
      },
      ({ name, type, message, config }) => ({ name, type, message, config }),
      both("/api/v1/synthetics/tests/api/abc-def-ghi"),
    );
    expect(outcomes).toEqual(["restored"]);
  });
});

describe("what operations of Datadog's take", () => {
  // Both as the recordings of Datadog's own clients send them, and answered 200.
  test.for<[string, string, string, string]>([
    ["what an answer brings along", "PUT", "/api/v2/on-call/users/u1/notification-rules/r1", "include=channel"],
    ["which version is meant", "PATCH", "/api/v2/app-builder/apps/a1", "version=latest"],
  ])("a parameter that says %s asks nobody", async ([, method, path, query]) => {
    const { get, put } = both(path, method);
    expect(put.known).toBe(true);
    const body = { data: { id: "x1", type: "t", attributes: { description: "owner is ann@example.com" } } };
    const read = await reply(JSON.stringify(body), {
      of: get,
      masks: masksOf({ detect: ["email"] }),
      sealing: { ...sealingOf(get), query },
    });
    expect(restore(read, { of: put, sealing: { ...sealingOf(put), query } }).outcomes).toEqual(["restored"]);
  });

  test.for<[number, string]>([
    [60, "restored"],
    // More than a token remembers one by one: people are asked rather than nobody.
    [61, "destination"],
  ])("a part of a resource with %i destinations: %s", async ([count, outcome]) => {
    const { get, put } = both("/api/v1/synthetics/tests/abc-def-ghi", "PATCH");
    const body = {
      message: "owner is ann@example.com",
      steps: Array.from({ length: count }, (_, i) => ({ url: `https://good.example/${i}` })),
    };
    expect(await outcomesOf(body, ({ message }) => ({ message }), { get, put })).toEqual([outcome]);
  });

  test("a monitor that was found by the search of monitors is written back", async () => {
    // https://docs.datadoghq.com/api/latest/monitors/#monitors-search
    const found = {
      counts: { muted: [], status: [], tag: [], type: [{ count: 1, name: "metric alert" }] },
      metadata: { page: 0, page_count: 1, per_page: 30, total_count: 1 },
      monitors: [{ id: 17, name: "disk of ann@example.com", query: "q", type: "metric alert", tags: [] }],
    };
    const get = operation("GET", "/api/v1/monitor/search");
    const read = JSON.parse(
      await reply(JSON.stringify(found), { of: get, masks: masksOf({ detect: ["email"] }) }),
    ) as typeof found;
    const [item] = read.monitors;
    const put = restore(JSON.stringify(item), { of: operation("PUT", "/api/v1/monitor/17") });
    expect(put.outcomes).toEqual(["restored"]);
  });
});
