/** A token is its value again only where it was read, in the session that read it, beside the destinations that were read; anywhere else it is a text. */

import { describe, expect, test } from "vitest";
import { familyOf } from "../../../server/stages/mask/place/family.ts";
import { equalityHash, equalityHashes } from "../../../server/stages/mask/token/equality.ts";
import { isMaskKeys, readMaskKeys } from "../../../server/stages/mask/token/keys.ts";
import { findForeign } from "../../../server/stages/mask/token/restore.ts";
import { reveal } from "../../../server/stages/mask/token/sealer.ts";
import { checked, Chance } from "./samples.ts";
import {
  everything,
  families,
  here,
  keyLine,
  keys,
  keysOf,
  maskBoth,
  masksOf,
  operation,
  recordedRequest,
  reply,
  restore,
  sealingOf,
  tokensIn,
} from "./setting.ts";

const getMonitor = operation("GET", "/api/v1/monitor/17");
const putMonitor = operation("PUT", "/api/v1/monitor/17");
const getWebhook = operation("GET", "/api/v1/integration/webhooks/configuration/webhooks/pager");
const putWebhook = operation("PUT", "/api/v1/integration/webhooks/configuration/webhooks/pager");

const webhook = {
  name: "pager",
  url: "https://hooks.example.com/in",
  custom_headers: '{"Authorization": "Bearer 8f2kd93jfk20dkf93kd0"}',
  payload: "call +49 30 12345678 or ann@example.com",
};

/** As the session reads it. */
const readWebhook = async () => JSON.parse(await reply(JSON.stringify(webhook), { of: getWebhook })) as typeof webhook;

describe("what was read and is written back", () => {
  test("is what it was", async () => {
    const read = await readWebhook();
    expect(JSON.stringify(read)).not.toMatch(/8f2kd93|ann@|12345678/);
    const back = restore(JSON.stringify(read), { of: putWebhook });
    expect(JSON.parse(back.text)).toEqual(webhook);
    expect(back.outcomes).toEqual(["restored", "restored", "restored"]);
  });

  test("also with other fields changed, left out (PATCH), and in another order", async () => {
    const read = await readWebhook();
    const changed = restore(
      JSON.stringify({
        payload: `urgent: ${read.payload}!`,
        url: read.url,
        custom_headers: read.custom_headers,
        name: "renamed",
      }),
      { of: putWebhook },
    );
    expect(JSON.parse(changed.text)).toEqual({ ...webhook, payload: `urgent: ${webhook.payload}!`, name: "renamed" });
    const user = {
      data: {
        id: "u1",
        type: "users",
        attributes: { email: "ann@example.com", name: "Ann", icon: "https://x.example/a.png" },
      },
    };
    const got = JSON.parse(
      await reply(JSON.stringify(user), { of: operation("GET", "/api/v2/users/u1") }),
    ) as typeof user;
    const patch = { data: { id: "u1", type: "users", attributes: { email: got.data.attributes.email } } };
    const patched = restore(JSON.stringify(patch), { of: operation("PATCH", "/api/v2/users/u1") });
    expect(patched.text).toContain("ann@example.com");
  });

  test("of an item of a list, into that item", async () => {
    const list = [
      { id: 17, name: "a", message: "ask ann@example.com" },
      { id: 18, name: "b", message: "ask bob@example.com" },
    ];
    const [first, second] = JSON.parse(
      await reply(JSON.stringify(list), { of: operation("GET", "/api/v1/monitor") }),
    ) as typeof list;
    expect(restore(JSON.stringify(first), { of: putMonitor }).text).toContain("ann@example.com");
    expect(restore(JSON.stringify(second), { of: putMonitor }).outcomes).toEqual(["foreign"]);
  });

  test("of what was just created, into what was created", async () => {
    const created = await reply('{"id": 17, "message": "ask ann@example.com"}', {
      of: operation("POST", "/api/v1/monitor"),
    });
    expect(restore(created, { of: putMonitor }).text).toBe('{"id": 17, "message": "ask ann@example.com"}');
  });

  test("keeps every other byte of what the caller wrote", async () => {
    const read = await reply('{"id":17,"message":"ask ann@example.com","big":12345678901234567890}', {
      of: getMonitor,
    });
    const odd = read.replace('"big"', '\n\t"big" ').replace("12345678901234567890", "1.50e+3");
    expect(restore(odd, { of: putMonitor }).text).toBe('{"id":17,"message":"ask ann@example.com",\n\t"big" :1.50e+3}');
  });

  test("is escaped as the place wants it", async () => {
    const masks = masksOf({ fields: ["$.message"] });
    const value = 'a "quoted"\nline \\ and \u2028 ünï 😀';
    const read = await reply(JSON.stringify({ id: 17, message: value }), { of: getMonitor, masks });
    expect(read).not.toContain("quoted");
    expect(JSON.parse(restore(read, { of: putMonitor }).text)).toEqual({ id: 17, message: value });
    const inner = { id: 17, options: JSON.stringify({ x: ["mail ann@example.com", '"'] }) };
    const nested = await reply(JSON.stringify(inner), { of: getMonitor });
    expect(JSON.parse(restore(nested, { of: putMonitor }).text)).toEqual(inner);
  });

  test("of a member's name too, and of what is below it", async () => {
    const body = { id: 17, options: { "ann@example.com": { note: "bob@example.com" } } };
    const read = await reply(JSON.stringify(body), { of: getMonitor });
    expect(read).not.toMatch(/ann@|bob@/);
    expect(JSON.parse(restore(read, { of: putMonitor }).text)).toEqual(body);
  });

  test("of a value that is no Unicode, and of a long one", async () => {
    const masks = masksOf({ fields: ["$.message"] });
    const lone = '{"id":17,"message":"lone \\ud800 surrogate"}';
    expect(JSON.parse(restore(await reply(lone, { of: getMonitor, masks }), { of: putMonitor }).text)).toEqual(
      JSON.parse(lone),
    );
    const c = new Chance(5);
    const long = JSON.stringify({ id: 17, message: c.text(40_000) });
    expect(restore(await reply(long, { of: getMonitor, masks }), { of: putMonitor }).text).toBe(long);
    const repetitive = JSON.stringify({ id: 17, message: "all the same ".repeat(50_000) });
    const short = await reply(repetitive, { of: getMonitor, masks });
    expect(short.length).toBeLessThan(10_000);
    expect(restore(short, { of: putMonitor }).text).toBe(repetitive);
  });
});

describe("a token stays a token", () => {
  const swapped = (read: typeof webhook): unknown => ({
    ...read,
    payload: read.custom_headers,
    custom_headers: read.payload,
  });

  test.for<[string, (read: typeof webhook) => unknown]>([
    ["in another field", swapped],
    ["in a new field", (read) => ({ ...read, description: read.payload })],
    ["deeper than it was", (read) => ({ ...read, payload: { text: read.payload } })],
    ["in a list", (read) => ({ ...read, payload: [read.payload] })],
    ["as the name of a field", (read) => ({ ...read, [read.payload]: 1 })],
    ["below a second resource", (read) => [{ ...read }, { ...read }]],
  ])("%s", async ([, change]) => {
    const sent = change(await readWebhook());
    const back = restore(JSON.stringify(sent), { of: putWebhook });
    const wrong = back.attempts.filter(({ outcome }) => outcome === "foreign");
    expect(wrong.length).toBeGreaterThan(0);
    expect(tokensIn(back.text).length).toBeGreaterThanOrEqual(wrong.length);
  });

  test.for<[string, Parameters<typeof restore>[1]]>([
    [
      "in another resource of the same kind",
      { of: operation("PUT", "/api/v1/integration/webhooks/configuration/webhooks/other") },
    ],
    ["in another kind of resource", { of: putMonitor }],
    [
      "in a new resource of the same kind",
      { of: operation("POST", "/api/v1/integration/webhooks/configuration/webhooks") },
    ],
    [
      "in another session",
      { of: putWebhook, sealing: sealingOf(putWebhook, { ...here, session: "0197a000-0000-7000-8000-000000000002" }) },
    ],
    ["on another connection", { of: putWebhook, sealing: sealingOf(putWebhook, { ...here, connection: "staging" }) }],
  ])("%s", async ([, where]) => {
    const read = JSON.stringify(await readWebhook());
    const back = restore(read, where);
    expect(back.bytes).toBeNull();
    expect(back.outcomes).toEqual(["foreign", "foreign", "foreign"]);
    expect(back.text).toBe(read);
  });

  test("under another key", async () => {
    const read = JSON.stringify(await readWebhook());
    const other = { ...sealingOf(putWebhook), keys: keysOf(keyLine("o")) };
    expect(restore(read, { of: putWebhook, sealing: other }).outcomes).toEqual(["altered", "altered", "altered"]);
  });

  test("with any one of its characters changed, and cut anywhere", async () => {
    const read = await reply('{"id":17,"message":"x ann@example.com y"}', { of: getMonitor });
    const [token = ""] = tokensIn(read);
    expect(restore(read, { of: putMonitor }).outcomes).toEqual(["restored"]);
    for (let i = 0; i < token.length; i++) {
      const other = token[i] === "A" ? "B" : "A";
      const altered = read.replace(token, token.slice(0, i) + other + token.slice(i + 1));
      const back = restore(altered, { of: putMonitor });
      expect(back.bytes, altered).toBeNull();
      expect(back.outcomes).not.toContain("restored");
      // Without its first letters it is a text like others, and none of the value.
      if (i > 10) expect(back.outcomes.length, altered).toBe(1);
      const cut = restore(read.replace(token, token.slice(0, i)), { of: putMonitor });
      expect(cut.bytes).toBeNull();
      const dropped = restore(read.replace(token, token.slice(0, i) + token.slice(i + 1)), { of: putMonitor });
      expect(dropped.bytes).toBeNull();
    }
    expect(restore(read.replace(token, token.slice(0, 40)), { of: putMonitor }).outcomes).toEqual(["truncated"]);
    expect(restore(read.replace(token, token.toUpperCase()), { of: putMonitor }).outcomes).toEqual(["altered"]);
    expect(restore(read.replace(token, token.toLowerCase()), { of: putMonitor }).outcomes).toEqual([
      expect.stringMatching("altered|truncated"),
    ]);
    expect(restore(read.replace(token, `${token}x`), { of: putMonitor }).outcomes).toEqual(["altered"]);
    expect(restore(read.replace("@masked.invalid", "@evil.example"), { of: putMonitor }).outcomes).toEqual(["altered"]);
  });

  test("renamed to another kind", async () => {
    const read = await reply('{"id":17,"message":"+49 30 12345678"}', { of: getMonitor });
    expect(read).toContain("dwm_phone_");
    expect(restore(read.replace("dwm_phone_", "dwm_iban_"), { of: putMonitor }).outcomes).toEqual(["altered"]);
  });

  test("in a body that two readers could understand differently", async () => {
    const { payload, url } = await readWebhook();
    const twice = `{"name":"pager","url":${JSON.stringify(url)},"URL":"https://evil.example","payload":${JSON.stringify(payload)}}`;
    expect(restore(twice, { of: putWebhook }).outcomes).toEqual(["ambiguous", "ambiguous"]);
    const nested = `{"data":{"payload":${JSON.stringify(payload)}},"data":{"url":"https://evil.example"}}`;
    expect(restore(nested, { of: putWebhook }).bytes).toBeNull();
    expect(restore(`${JSON.stringify({ payload })} trailing`, { of: putWebhook }).bytes).toBeNull();
  });

  test("in a path, a query, a header: it is found there, and that is all", () => {
    const token = "dwm_email_LAAwn3EGqunxELpD-C0j9c6Ji0NIO1MKNM6NanDAc1XJzv8mZ-7195f2v5rutxpS@masked.invalid";
    expect(findForeign(`/api/v1/user/${token}`, new Set())).toMatchObject([{ kind: "email", outcome: "foreign" }]);
    expect(findForeign("/api/v1/user/dwm_email_LAAwn3EGq", new Set())).toMatchObject([{ outcome: "truncated" }]);
    expect(findForeign("/api/v1/user/dwm_unknown_LAAwn3EGqunxELpD", new Set())).toEqual([]);
  });
});

describe("beside a changed destination no token turns back", () => {
  test.for<[string, (read: typeof webhook) => object]>([
    ["another host", (read) => ({ ...read, url: "https://evil.example/in" })],
    ["another path", (read) => ({ ...read, url: "https://hooks.example.com/other" })],
    ["the same host with other letters", (read) => ({ ...read, url: read.url.toUpperCase() })],
    ["a second destination", (read) => ({ ...read, fallback_url: "https://evil.example" })],
    ["one whose name nobody knows, but which is a URL", (read) => ({ ...read, xyz: "https://evil.example" })],
    ["one deep below", (read) => ({ ...read, options: [{ target: { host: "evil.example" } }] })],
    ["a list of them", (read) => ({ ...read, recipients: ["eve@evil.example"] })],
    ["none any more, though everything is replaced", ({ url: _url, ...read }) => read],
    ["a number in its place", (read) => ({ ...read, url: 1 })],
    [
      "one whose name is spelled with escapes",
      (read) =>
        JSON.parse(JSON.stringify({ ...read, ur_l: "https://evil.example" }).replace("ur_l", "\\u0075rl2")) as object,
    ],
  ])("%s", async ([, change]) => {
    const sent = change(await readWebhook());
    const back = restore(JSON.stringify(sent), { of: putWebhook });
    expect(back.bytes).toBeNull();
    expect(back.outcomes).toEqual(["destination", "destination", "destination"]);
  });

  test("a PATCH may leave a destination out, and may not add one", async () => {
    const destination = {
      data: {
        type: "custom_destination",
        id: "d1",
        attributes: {
          name: "x",
          forwarder_destination: {
            type: "http",
            endpoint: "https://logs.example.com",
            auth: { type: "basic", username: "u", password: "hunter2hunter2" },
          },
        },
      },
    };
    const of = operation("PATCH", "/api/v2/logs/config/custom-destinations/d1");
    const masks = masksOf({ detect: ["secret"], fields: ["$..username"] });
    const read = JSON.parse(
      await reply(JSON.stringify(destination), {
        of: operation("GET", "/api/v2/logs/config/custom-destinations/d1"),
        masks,
      }),
    ) as typeof destination;
    const { auth } = read.data.attributes.forwarder_destination;
    const patch = (forwarder: object): string =>
      JSON.stringify({
        data: { type: "custom_destination", id: "d1", attributes: { forwarder_destination: forwarder } },
      });
    expect(restore(patch({ auth }), { of }).text).toContain("hunter2hunter2");
    expect(restore(patch({ auth, endpoint: "https://logs.example.com" }), { of }).text).toContain("hunter2hunter2");
    expect(restore(patch({ auth, endpoint: "https://evil.example" }), { of }).outcomes).toEqual([
      "destination",
      "destination",
    ]);
    expect(restore(patch({ auth, host: "evil.example" }), { of }).bytes).toBeNull();
  });

  test("a secret inside a destination: the rest of it may not change either", async () => {
    const hook = { name: "pager", url: "https://ann:s3cretpass@hooks.example.com/in?a=1" };
    const read = JSON.parse(await reply(JSON.stringify(hook), { of: getWebhook })) as typeof hook;
    expect(read.url).toMatch(/^https:\/\/dwm_url-password_[\w-]+@hooks\.example\.com\/in\?a=1$/);
    expect(restore(JSON.stringify(read), { of: putWebhook }).text).toBe(JSON.stringify(hook));
    for (const url of [
      read.url.replace("hooks.example.com", "evil.example"),
      `${read.url}&b=2`,
      read.url.replace("https", "http"),
      read.url.replace("@", ":80@evil.example#@"),
    ])
      expect(restore(JSON.stringify({ ...read, url }), { of: putWebhook }).bytes, url).toBeNull();
  });

  test("a token in a destination that does not open spoils the others", async () => {
    const hook = {
      name: "pager",
      url: "https://hooks.slack.com/services/T00000000/B00000000/ffffffffffffff1234567890",
      payload: "ann@example.com",
    };
    const read = JSON.parse(await reply(JSON.stringify(hook), { of: getWebhook })) as typeof hook;
    expect(restore(JSON.stringify(read), { of: putWebhook }).text).toBe(JSON.stringify(hook));
    const forged = { ...read, url: read.url.replace(/.$/, (last) => (last === "A" ? "B" : "A")) };
    expect(restore(JSON.stringify(forged), { of: putWebhook }).outcomes.toSorted()).toEqual(["altered", "destination"]);
  });

  test("a message to more people than before", async () => {
    const monitor = { id: 17, message: "Disk full. Key AKIAIOSFODNN7EXAMPLE @slack-ops" };
    const read = JSON.parse(await reply(JSON.stringify(monitor), { of: getMonitor })) as typeof monitor;
    const say = (message: string) => restore(JSON.stringify({ ...read, message }), { of: putMonitor });
    expect(say(read.message.replace("Disk full", "Disk nearly full")).text).toContain("AKIAIOSFODNN7EXAMPLE");
    expect(say(`${read.message} @webhook-evil`).outcomes).toEqual(["destination"]);
    expect(say(read.message.replace("@slack-ops", "@webhook-evil")).outcomes).toEqual(["destination"]);
  });

  test("what is only shown has no destination: a dashboard's links may change", async () => {
    const board = {
      id: "abc",
      title: "x",
      description: "by ann@example.com",
      widgets: [{ definition: { type: "image", url: "https://a.example/1.png" } }],
    };
    const read = JSON.parse(
      await reply(JSON.stringify(board), { of: operation("GET", "/api/v1/dashboard/abc") }),
    ) as typeof board;
    const changed = { ...read, widgets: [{ definition: { type: "image", url: "https://b.example/2.png" } }] };
    expect(restore(JSON.stringify(changed), { of: operation("PUT", "/api/v1/dashboard/abc") }).text).toContain(
      "ann@example.com",
    );
  });

  test("more of them than a token names one by one", async () => {
    const many = {
      id: 17,
      message: "ann@example.com",
      links: Array.from({ length: 40 }, (_, i) => `https://x.example/${i}`),
    };
    const read = JSON.parse(await reply(JSON.stringify(many), { of: getMonitor })) as typeof many;
    expect(restore(JSON.stringify(read), { of: putMonitor }).text).toBe(JSON.stringify(many));
    const changed = { ...read, links: read.links.with(39, "https://evil.example") };
    expect(restore(JSON.stringify(changed), { of: putMonitor }).outcomes).toEqual(["destination"]);
    expect(restore(JSON.stringify({ ...read, links: read.links.slice(0, 39) }), { of: putMonitor }).outcomes).toEqual([
      "destination",
    ]);
  });
});

describe("what a token tells", () => {
  const masked = async (session: string, value: string): Promise<string> => {
    const body = await reply(JSON.stringify({ id: 17, message: value }), {
      of: getMonitor,
      sealing: sealingOf(getMonitor, { ...here, session }),
    });
    return tokensIn(body)[0] ?? "";
  };

  test("the same to the same session: the same value at the same place is the same token", async () => {
    expect(await masked("s1", "ann@example.com")).toBe(await masked("s1", "ann@example.com"));
    expect(await masked("s1", "ann@example.com")).not.toBe(await masked("s1", "bob@example.com"));
  });

  test("nothing across sessions: a guess that is written and read back has another token", async () => {
    const [one, other] = [await masked("s1", "ann@example.com"), await masked("s2", "ann@example.com")];
    expect(one).not.toBe(other);
    // Not even a part of one is in the other.
    const body = (token: string): string => token.slice("dwm_email_".length + 4, -"@masked.invalid".length);
    for (let i = 0; i + 8 <= body(one).length; i++) expect(body(other)).not.toContain(body(one).slice(i, i + 8));
  });

  test("its length tells the value's, and nothing else about it", async () => {
    expect((await masked("s1", "ann@example.com")).length).toBe((await masked("s1", "bob@example.org")).length);
  });

  test("nothing in a token that somebody stored: what looks like one in an answer is sealed, and comes back as it was", async () => {
    const planted = await masked("s2", "ann@example.com");
    const stored = { id: 17, message: `see ${planted} here` };
    const read = await reply(JSON.stringify(stored), { of: getMonitor });
    expect(read).not.toContain(planted);
    expect(restore(read, { of: putMonitor }).text).toBe(JSON.stringify(stored));
  });
});

describe("keys", () => {
  const body = '{"id":17,"message":"ask ann@example.com"}';
  const under = (used: typeof keys) => ({ ...sealingOf(getMonitor), keys: used });

  test("the newest seals, and what an older one sealed still opens", async () => {
    const old = keysOf(keyLine("k"));
    const rotated = keysOf(keyLine("n"), keyLine("k"));
    const before = await reply(body, { of: getMonitor, sealing: under(old) });
    const after = await reply(body, { of: getMonitor, sealing: under(rotated) });
    expect(after).not.toBe(before);
    const sealing = { ...sealingOf(putMonitor), keys: rotated };
    expect(restore(before, { of: putMonitor, sealing }).text).toBe(body);
    expect(restore(after, { of: putMonitor, sealing }).text).toBe(body);
    expect(restore(after, { of: putMonitor, sealing: { ...sealing, keys: old } }).outcomes).toEqual(["altered"]);
  });

  test.for<[string, string]>([
    ["", "holds no key"],
    ["# only a comment\n\n", "holds no key"],
    ["not a key!", "line 1 is no base64"],
    ["c2hvcnQ=", "line 1 has 5 bytes"],
    [`${keyLine("a")}\n${keyLine("a")}`, "line 2 is the same key as line 1"],
  ])("%j: %s", ([text, says]) => {
    const read = readMaskKeys(text);
    expect(isMaskKeys(read)).toBe(false);
    expect(read).toContain(says);
    if (text.length > 10) expect(read).not.toContain(text.slice(0, 10));
  });

  test("in hexadecimal too, with comments, one a line", () => {
    expect(isMaskKeys(readMaskKeys(`# 2026-05\n${"ab".repeat(32)}\n\n${keyLine("x")}\n`))).toBe(true);
  });
});

describe("people who may", () => {
  test("are told what a token stands for, wherever it was read", async () => {
    const read = await reply('{"id":17,"message":"ask ann@example.com"}', {
      of: getMonitor,
      sealing: sealingOf(getMonitor, { connection: "x", session: "y" }),
    });
    const [token = ""] = tokensIn(read);
    expect(reveal(keys, token)).toEqual({ kind: "email", value: "ann@example.com" });
    expect(reveal(keys, `${token}x`)).toBeNull();
    expect(reveal(keysOf(keyLine("z")), token)).toBeNull();
    expect(reveal(keys, "ann@example.com")).toBeNull();
  });

  test("find a value by its keyed hash, however it was written, before and after a rotation", () => {
    expect(equalityHash(keys, "email", "Ann@Example.com")).toBe(equalityHash(keys, "email", "ann@example.com"));
    expect(equalityHash(keys, "phone", "+49 30 123-456-78")).toBe(equalityHash(keys, "phone", "+493012345678"));
    expect(equalityHash(keys, "iban", "DE89 3704 0044 0532 0130 00")).toBe(
      equalityHash(keys, "iban", "de89370400440532013000"),
    );
    expect(equalityHash(keys, "email", "ann@example.com")).not.toBe(
      equalityHash(keysOf(keyLine("z")), "email", "ann@example.com"),
    );
    expect(equalityHashes(keysOf(keyLine("z"), keyLine("k")), "email", "ann@example.com")).toContain(
      equalityHash(keys, "email", "ann@example.com"),
    );
    expect(equalityHash(keys, "email", "ann@example.com")).toMatch(/^[\w-]{22}$/);
  });
});

describe("recordings", () => {
  test("hold the token where the value went on, so that both show the same", async () => {
    const { reply: answer, recording } = await maskBoth('{"id":17,"message":"ask ann@example.com"}', {
      of: getMonitor,
    });
    expect(answer).toEqual(recording);
    const stored = await recordedRequest('{"id":17,"message":"ask ann@example.com"}', { of: putMonitor });
    if (answer.outcome !== "masked") throw new Error(answer.outcome);
    expect(stored).toBe(answer.bytes.toString());
  });

  test("keep a real token as it was sent, also where a secret is looked for", async () => {
    for (const message of [
      "password=hunter2hunter2",
      '{"api_token":"hunter2hunter2"}',
      "Bearer 8f2kd93jfk20dkf93kd0",
    ]) {
      const read = await reply(JSON.stringify({ id: 17, message }), { of: getMonitor });
      expect(tokensIn(read)).toHaveLength(1);
      expect(await recordedRequest(read, { of: operation("PUT", "/api/v1/monitor/18") })).toBe(read);
    }
  });

  test("keep a token that did not open as it was sent", async () => {
    const foreign = `{"message":"x dwm_email_LAAwn3EGqunxELpD-C0j9c6Ji0NIO1MKNM6NanDAc1XJzv8mZ-7195f2v5rutxpS@masked.invalid y"}`;
    expect(await recordedRequest(foreign, { of: putMonitor })).toBe(foreign);
  });
});

describe("families", () => {
  test.for<[string, string, string, string]>([
    ["GET", "/api/v1/monitor", "PUT", "/api/v1/monitor/1"],
    ["POST", "/api/v1/monitor", "GET", "/api/v1/monitor/1"],
    ["GET", "/api/v1/synthetics/tests", "PUT", "/api/v1/synthetics/tests/api/abc"],
    ["GET", "/api/v1/synthetics/tests/abc", "PUT", "/api/v1/synthetics/tests/browser/abc"],
    ["GET", "/api/v2/incidents/search", "PATCH", "/api/v2/incidents/1"],
    ["GET", "/api/v2/team/t/links", "PATCH", "/api/v2/team/t/links/l"],
  ])("%s %s and %s %s are about the same", ([aMethod, aPath, bMethod, bPath]) => {
    const [a, b] = [operation(aMethod, aPath), operation(bMethod, bPath)].map((of) => familyOf(families, of, "api"));
    expect(a?.name).toBe(b?.name);
  });

  test("kinds of things differ: a monitor is no dashboard, and what is below one thing is another thing", () => {
    const names = [
      "/api/v1/monitor/1",
      "/api/v1/dashboard/1",
      "/api/v2/users/1",
      "/api/v1/user/1",
      "/api/v2/team/t/links/l",
      "/api/v2/team/t",
    ].map((path) => familyOf(families, operation("GET", path), "api").name);
    expect(new Set(names).size).toBe(names.length);
  });
});

test("a GitHub token among others keeps its checksum's verdict out of the token", async () => {
  const c = new Chance(1);
  const read = await reply(JSON.stringify({ id: 17, message: `a ${checked(c, "ghp_")} b` }), {
    of: getMonitor,
    masks: everything,
  });
  expect(read).toMatch(/a dwm_github-token_[\w-]+ b/);
});
