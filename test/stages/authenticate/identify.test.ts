/** What must never be taken for an identity, and what must. */

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { TokenCode } from "../../../server/errors.ts";
import type { Issuer } from "../../../server/model/config.ts";
import {
  identify,
  trustIssuer,
  type Allowance,
  type Identity,
  type TrustedIssuer,
} from "../../../server/stages/authenticate/identify.ts";
import { githubClaims, newKey, startIssuer, type TestClaims, type TestIssuer } from "../../standins/issuer.ts";

const audience = "https://dogwatch.example.com";
const acmeOnly: Allowance = (caller) =>
  caller["repository_owner_id"] === "1234" && caller["repository_id"] === "70" ? true : { reason: "is false" };

let issuer: TestIssuer;
let time: number;
const clock = (): Date => new Date(time);
const wait = (seconds: number): void => {
  time += seconds * 1000;
};

beforeAll(async () => {
  issuer = await startIssuer(() => clock());
});
afterAll(() => issuer.close());

let trusted: TrustedIssuer;
beforeEach(() => {
  time = Date.parse("2026-05-04T03:02:01.000Z");
  issuer.fetches.keys = 0;
  issuer.fetches.discovery = 0;
  issuer.answerWith(null);
  trusted = trust({});
});

const trust = (settings: Partial<Issuer>, allow: Allowance = acmeOnly): TrustedIssuer => {
  const github: Issuer = {
    name: "github",
    issuer: issuer.url,
    audience,
    allow: "",
    events: [],
    algorithms: ["RS256"],
    kind: "github",
    ...settings,
  };
  return trustIssuer(github, allow, { fetch, clock });
};

const claims = (changes: TestClaims = {}): TestClaims => ({ ...githubClaims, aud: audience, ...changes });

const accepted = async (token: string, by: TrustedIssuer = trusted): Promise<Identity> => {
  const answer = await identify([by], token);
  if ("code" in answer) throw new Error(`refused: ${answer.code}: ${answer.description}`);
  return answer;
};

const refused = async (token: string, code: TokenCode, description: RegExp, by: TrustedIssuer = trusted) => {
  const answer = await identify([by], token);
  expect(answer).toMatchObject({ code, description: expect.stringMatching(description) });
  expect(JSON.stringify(answer)).not.toContain(token.split(".")[2] || "no signature");
  return answer as { code: TokenCode; description: string; detail?: string };
};

describe("a token is refused when", () => {
  test("its issuer is not in the list, even by a trailing slash", async () => {
    await refused(
      await issuer.sign(claims({ iss: "https://evil.example" })),
      "issuer_unknown",
      /^iss is 'https:\/\/evil\.example'/,
    );
    await refused(await issuer.sign(claims({ iss: `${issuer.url}/` })), "issuer_unknown", /^iss is/);
    await refused(await issuer.sign(claims({ iss: [issuer.url] })), "issuer_unknown", /^iss is/);
    await refused(await issuer.sign(claims({ iss: undefined })), "issuer_unknown", /^iss is nothing/);
    expect(issuer.fetches).toEqual({ discovery: 0, keys: 0 });
  });

  test("its audience is another, none, or a list, even a list of one", async () => {
    const wrong = await issuer.sign(claims({ aud: "https://other.example" }));
    await refused(
      wrong,
      "audience_mismatch",
      /^aud is 'https:\/\/other\.example', expected 'https:\/\/dogwatch\.example\.com'$/,
    );
    await refused(await issuer.sign(claims({ aud: undefined })), "audience_mismatch", /^aud is nothing, expected/);
    await refused(await issuer.sign(claims({ aud: [audience] })), "audience_mismatch", /^aud is the list/);
    await refused(await issuer.sign(claims({ aud: [audience, "x"] })), "audience_mismatch", /^aud is the list/);
    await refused(await issuer.sign(claims({ aud: ["x", "y"] })), "audience_mismatch", /^aud is/);
  });

  test("its audience is a list, with one exception: a list of one, as Kubernetes writes it", async () => {
    const plain = trust({ kind: "oidc" });
    await refused(await issuer.sign(claims({ aud: [audience] })), "audience_mismatch", /^aud is the list/, plain);
    const kubernetes = trust({ kind: "oidc", name: "kubernetes" }, () => true);
    for (const aud of [[audience, "x"], [audience, audience], ["x"], []])
      await refused(await issuer.sign({ aud }), "audience_mismatch", /^aud is/, kubernetes);
    await accepted(await issuer.sign({ aud: [audience] }), kubernetes);
  });

  test("it is not signed at all", async () => {
    await refused(issuer.unsigned(claims()), "algorithm_refused", /^alg is 'none'; issuer github signs with RS256$/);
    expect(issuer.fetches.keys).toBe(0);
  });

  test("it is signed by HMAC with the public key, even where HS256 was configured", async () => {
    await refused(await issuer.confused(claims()), "algorithm_refused", /^alg is 'HS256'/);
    const careless = trust({ algorithms: ["RS256", "HS256", "none"] });
    await refused(await issuer.confused(claims()), "algorithm_refused", /^alg is 'HS256'/, careless);
    await refused(issuer.unsigned(claims()), "algorithm_refused", /^alg is 'none'/, careless);
  });

  test("its algorithm is another than the issuer's, although the key is published", async () => {
    const elliptic = await newKey("ES256");
    issuer.published.unshift(elliptic);
    try {
      await refused(await issuer.signWith(elliptic, claims()), "algorithm_refused", /^alg is 'ES256'/);
      await accepted(await issuer.signWith(elliptic, claims()), trust({ algorithms: ["ES256"] }));
    } finally {
      issuer.published.shift();
    }
  });

  test("its signature is of a key that only calls itself the issuer's", async () => {
    const stranger = await newKey();
    const known = issuer.published[0]?.kid ?? "";
    await refused(
      await issuer.signWith({ ...stranger, kid: known }, claims()),
      "signature_invalid",
      /^the signature is not/,
    );
  });

  test("one character of it was changed", async () => {
    const [header, payload, signature] = (await issuer.sign(claims())).split(".");
    const forged = Buffer.from(
      JSON.stringify({ ...JSON.parse(Buffer.from(payload ?? "", "base64url").toString()), run_id: "1" }),
    );
    await refused(`${header}.${forged.toString("base64url")}.${signature}`, "signature_invalid", /signature/);
  });

  test("it has expired, past the leeway of 30 s", async () => {
    const token = await issuer.sign(claims());
    wait(329);
    await accepted(token);
    wait(1);
    await refused(token, "token_expired", /^exp was 30 s ago/);
  });

  test("it is not valid yet, past the leeway of 30 s", async () => {
    const now = time / 1000;
    await accepted(await issuer.sign(claims({ nbf: now + 30 })));
    await refused(await issuer.sign(claims({ nbf: now + 31 })), "token_early", /^nbf is 31 s in the future/);
    await accepted(await issuer.sign(claims({ iat: now + 30 })));
    await refused(await issuer.sign(claims({ iat: now + 31 })), "token_early", /^iat is 31 s in the future/);
  });

  test("a claim that every check rests on is missing or of a wrong type", async () => {
    for (const name of ["exp", "iat", "sub"]) {
      await refused(
        await issuer.sign(claims({ [name]: undefined })),
        "token_malformed",
        new RegExp(`^claim ${name} is nothing`),
      );
    }
    await refused(await issuer.sign(claims({ exp: "never" })), "token_malformed", /^claim exp is 'never'/);
    await refused(await issuer.sign(claims({ sub: "" })), "token_malformed", /^claim sub is empty/);
    for (const name of ["jti", "repository_id", "repository_owner_id", "run_id", "run_attempt", "event_name"]) {
      await refused(
        await issuer.sign(claims({ [name]: undefined })),
        "token_malformed",
        new RegExp(`^claim ${name} is nothing`),
      );
    }
  });

  test("it is no token", async () => {
    for (const text of ["", "a", "a.b", "a.b.c", "a.b.c.d.e", "é.é.é", `${"a".repeat(20_000)}.b.c`]) {
      const answer = await identify([trusted], text);
      expect(answer).toMatchObject({ code: "token_malformed" });
    }
  });

  test("a claim holds what no database can keep, while a text that only looks like it passes", async () => {
    await refused(await issuer.sign(claims({ workflow: "a\u0000b" })), "token_malformed", /U\+0000/);
    await refused(await issuer.sign(claims({ workflow: "\ud83d" })), "token_malformed", /surrogate/);
    await accepted(await issuer.sign(claims({ workflow: "\\u0000 🐕" })));
  });

  test("the run was set off by an event that strangers control, unless the issuer lists it", async () => {
    for (const event_name of ["pull_request_target", "workflow_run", "issue_comment"]) {
      const token = await issuer.sign(claims({ event_name }));
      await refused(token, "event_refused", new RegExp(`^event_name is '${event_name}'`));
      await accepted(token, trust({ events: [event_name] }));
    }
    const other = trust({ events: ["workflow_run"] });
    await refused(await issuer.sign(claims({ event_name: "issue_comment" })), "event_refused", /issue_comment/, other);
  });

  test("such an event comes from a GitHub server that was configured as any issuer", async () => {
    const token = await issuer.sign(claims({ event_name: "pull_request_target" }));
    await refused(token, "event_refused", /pull_request_target/, trust({ kind: "oidc" }));
    const odd = await issuer.sign(claims({ event_name: ["push"] }));
    await refused(odd, "event_refused", /push/, trust({ kind: "oidc" }));
  });

  test("another repository took the name of an allowed one", async () => {
    const impostor = claims({ repository: "acme/app", repository_id: "71", repository_owner_id: "9" });
    const answer = await refused(
      await issuer.sign(impostor),
      "caller_not_allowed",
      /repository 'acme\/app', repository_id '71', repository_owner_id '9'/,
    );
    expect(answer.detail).toBe("is false");
  });

  test("its groups claim is there but no list of names", async () => {
    const token = await issuer.sign(claims({ groups: [1, 2] }));
    await refused(token, "token_malformed", /groups claim '\$\.groups'/, trust({ groups: "$.groups" }));
  });
});

describe("keys", () => {
  test("are fetched once for a hundred tokens at a time", async () => {
    const tokens = await Promise.all(Array.from({ length: 100 }, () => issuer.sign(claims())));
    await Promise.all(tokens.map((token) => accepted(token)));
    expect(issuer.fetches).toEqual({ discovery: 1, keys: 1 });
  });

  test("are asked for once per cooldown, however many invented key ids come in", async () => {
    await accepted(await issuer.sign(claims()));
    const storm = async (): Promise<void> => {
      const tokens = Array.from({ length: 200 }, (_, i) => issuer.sign(claims(), { kid: `invented-${i}` }));
      for (const token of await Promise.all(tokens)) await refused(token, "key_unknown", /^kid 'invented-\d+' is none/);
    };
    await storm();
    expect(issuer.fetches.keys).toBe(1);
    wait(30);
    await storm();
    expect(issuer.fetches.keys).toBe(2);
    wait(30);
    const atOnce = await Promise.all(
      Array.from({ length: 50 }, async (_, i) =>
        identify([trusted], await issuer.sign(claims(), { kid: `more-${i}` })),
      ),
    );
    expect(atOnce.every((answer) => "code" in answer && answer.code === "key_unknown")).toBe(true);
    expect(issuer.fetches.keys).toBe(3);
  });

  test("that were rotated are found after the cooldown, and the old ones are refused from then on", async () => {
    const before = await issuer.sign(claims());
    const old = issuer.published[0];
    await accepted(before);
    await issuer.rotate();
    const after = await issuer.sign(claims());
    await refused(after, "key_unknown", /asked for again in 30 s$/);
    wait(30);
    await accepted(after);
    expect(issuer.fetches.keys).toBe(2);
    if (old === undefined) throw new Error("no key was published");
    await refused(await issuer.signWith(old, claims()), "key_unknown", /^kid/);
  });

  test("that were withdrawn are refused within ten minutes although nobody asks for an unknown one", async () => {
    const old = issuer.published[0];
    if (old === undefined) throw new Error("no key was published");
    await accepted(await issuer.sign(claims()));
    await issuer.rotate();
    wait(601);
    await refused(await issuer.signWith(old, claims()), "key_unknown", /^kid/);
  });

  test("serve a little longer while the issuer is down, and not for ever", async () => {
    await accepted(await issuer.sign(claims()));
    issuer.answerWith((_, response) => {
      response.writeHead(503).end();
      return true;
    });
    wait(15 * 60);
    await accepted(await issuer.sign(claims()));
    wait(6 * 60);
    await refused(await issuer.sign(claims()), "issuer_unreachable", /^the keys of issuer/);
  });

  test("cannot be had: every token is refused, and the issuer is asked again only after a pause", async () => {
    issuer.answerWith((_, response) => {
      response.writeHead(500).end();
      return true;
    });
    const token = await issuer.sign(claims());
    for (let i = 0; i < 20; i++) await refused(token, "issuer_unreachable", /try again in a moment$/);
    expect(issuer.fetches.discovery).toBe(1);
    issuer.answerWith(null);
    wait(5);
    await accepted(token);
  });

  const misleading: readonly (readonly [string, string, (path: string) => [number, Record<string, string>, string]])[] =
    [
      ["redirect elsewhere", "redirects are not followed", () => [302, { location: "https://evil.example/keys" }, ""]],
      [
        "are of another issuer",
        "another issuer",
        () => [200, {}, '{"issuer":"https://evil.example","jwks_uri":"https://evil.example/k"}'],
      ],
      [
        "are served without TLS",
        "not https",
        () => [200, {}, `{"issuer":"${issuer.url}","jwks_uri":"http://evil.example/k"}`],
      ],
      ["are no JSON", "is not JSON", () => [200, {}, "<html>"]],
      ["are endless", "larger than", () => [200, {}, `{"issuer":"${"x".repeat(600_000)}"}`]],
      [
        "are no key set",
        "key set is not one",
        (path) => [
          200,
          {},
          path === "/keys" ? '{"keys":"none"}' : `{"issuer":"${issuer.url}","jwks_uri":"${issuer.url}/keys"}`,
        ],
      ],
    ];
  test.each(misleading)("that %s are not believed", async (_, reason, answer) => {
    issuer.answerWith((path, response) => {
      const [status, headers, body] = answer(path);
      response.writeHead(status, headers).end(body);
      return true;
    });
    const refusal = await refused(await issuer.sign(claims()), "issuer_unreachable", /^the keys of issuer/);
    expect(refusal.detail).toContain(reason);
  });

  test("without a kid are found while there is one, and refused when two could be meant", async () => {
    await accepted(await issuer.sign(claims(), { kid: undefined }));
    issuer.published.unshift(await newKey());
    try {
      await refused(
        await issuer.sign(claims(), { kid: undefined }),
        "key_unknown",
        /^the token names no kid/,
        trust({}),
      );
    } finally {
      issuer.published.shift();
    }
  });
});

describe("an identity", () => {
  test("keeps every claim, known or not, and names its token by jti", async () => {
    const identity = await accepted(await issuer.sign(claims({ jti: "j-1", brand_new_claim: { deep: [1, "x"] } })));
    expect(identity.caller).toMatchObject({
      issuer: issuer.url,
      issuer_name: "github",
      subject: "repo:acme/app:ref:refs/heads/main",
      groups: [],
      claims: { repository: "acme/app", brand_new_claim: { deep: [1, "x"] } },
    });
    expect(identity.token_id).toBe("j-1");
    expect(identity.expires_at).toEqual(new Date(time + 331_000));
  });

  test("of an issuer without jti is named by what was signed, so that it too is used once", async () => {
    const okta = trust({ kind: "oidc", name: "okta" }, () => true);
    const token = await issuer.sign({ aud: audience, jti: undefined });
    const first = await accepted(token, okta);
    expect(first.token_id).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect((await accepted(token, okta)).token_id).toBe(first.token_id);
    expect((await accepted(await issuer.sign({ aud: audience, jti: undefined, n: 2 }), okta)).token_id).not.toBe(
      first.token_id,
    );
  });

  test("has the groups its issuer lists at the configured path", async () => {
    const allow: Allowance = (caller) =>
      Array.isArray(caller["groups"]) && caller["groups"].includes("agents") ? true : { reason: "is false" };
    const flat = trust({ kind: "oidc", groups: "$.groups" }, allow);
    const identity = await accepted(await issuer.sign({ aud: audience, groups: ["agents", "sre"] }), flat);
    expect(identity.caller.groups).toEqual(["agents", "sre"]);
    await refused(
      await issuer.sign({ aud: audience }),
      "caller_not_allowed",
      /^allow of issuer github does not hold for sub 'agent-7'$/,
      flat,
    );
    const deep = trust({ kind: "oidc", groups: "$.realm_access['roles']" }, allow);
    await accepted(await issuer.sign({ aud: audience, realm_access: { roles: ["agents"] } }), deep);
    await refused(await issuer.sign({ aud: audience, groups: ["agents"] }), "caller_not_allowed", /allow/, deep);
  });

  test("is asked of the entry whose audience it names, when one issuer is listed twice", async () => {
    const staging = trust({ name: "staging", audience: "staging" }, () => true);
    const answer = await identify([trusted, staging], await issuer.sign(claims({ aud: "staging" })));
    expect(answer).toMatchObject({ caller: { issuer_name: "staging" } });
  });

  test("cannot pretend to groups or an issuer by naming claims like ours", async () => {
    const open = trust({ kind: "oidc" }, (caller) => (caller["issuer"] === "x" ? true : { reason: "is false" }));
    await refused(
      await issuer.sign({ aud: audience, issuer: "x", groups: ["admin"] }),
      "caller_not_allowed",
      /allow/,
      open,
    );
  });
});

test("a groups path that is none is refused at start", () => {
  for (const path of ["groups", "$", "$.", "$..groups", "$.groups[0]", "$.a b"])
    expect(() => trust({ groups: path })).toThrow(/^groups: .* is not a path of names/);
});

test("a description has no character that RFC 6749 forbids, whatever a claim holds", async () => {
  const nasty = 'a"b\\c\n\u001b[31m é\u202e'.repeat(40);
  const answer = await refused(await issuer.sign(claims({ aud: nasty })), "audience_mismatch", /^aud is/);
  expect(answer.description).toMatch(/^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/);
  expect(answer.description.length).toBeLessThan(300);
});
