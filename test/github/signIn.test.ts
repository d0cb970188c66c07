/** What GitHub may answer to a sign-in: nobody is taken for somebody, and no secret is in what is said. */

import { afterEach, expect, test } from "vitest";
import { GitHubSignIn } from "../../server/github/signIn.ts";
import { Secret } from "../../server/model/connection.ts";
import { GitHubFailure } from "../../server/model/github.ts";

type Sent = { readonly url: string; readonly init: RequestInit };

const sent: Sent[] = [];
afterEach(() => void sent.splice(0));

const secret = "the-client-secret-of-the-tests";
const token = "ghu_the-token-of-the-tests";

const signIn = (answers: readonly (() => Response | Promise<Response>)[], apiUrl = "https://api.github.com") =>
  new GitHubSignIn({
    apiUrl,
    clientId: "Iv23liabc",
    clientSecret: new Secret(secret),
    fetch: async (url, init = {}) => {
      sent.push({ url: new Request(url).url, init });
      const answer = answers[sent.length - 1];
      if (answer === undefined) throw new Error("nobody answers");
      return answer();
    },
  });

const json =
  (body: unknown, status = 200) =>
  () =>
    new Response(JSON.stringify(body), { status });
const given = json({ access_token: token, token_type: "bearer", scope: "" });
const octocat = { id: 583_231, login: "octocat", type: "User" };
const back = {
  query: "code=the-code&state=s",
  verifier: "v".repeat(43),
  redirect: "https://dogwatch.example.com/sign-in/github/callback",
};

const refusalOf = async (answers: readonly (() => Response | Promise<Response>)[]): Promise<GitHubFailure> => {
  const failure: unknown = await signIn(answers)
    .identify(back)
    .then(
      () => null,
      (error: unknown) => error,
    );
  if (!(failure instanceof GitHubFailure)) throw new Error(`no failure: ${String(failure)}`);
  for (const hidden of [secret, token, "the-code", back.verifier])
    expect(failure.stack + failure.message).not.toContain(hidden);
  return failure;
};

test.each([
  ["https://api.github.com", "https://github.com"],
  ["https://api.acme.ghe.com", "https://acme.ghe.com"],
  ["https://ghe.example.com/api/v3", "https://ghe.example.com"],
])("people of %s sign in on %s", async (apiUrl, web) => {
  const provider = signIn([given, json(octocat)], apiUrl);
  expect(provider.authorizeUrl({ state: "s", challenge: "c", redirect: back.redirect })).toMatch(
    new RegExp(`^${web}/login/oauth/authorize\\?client_id=Iv23liabc&`),
  );
  expect(await provider.identify(back)).toEqual({
    provider: "github",
    issuer: web,
    subject: "583231",
    login: "octocat",
    groups: [],
  });
  expect(sent.map(({ url }) => url)).toEqual([`${web}/login/oauth/access_token`, `${apiUrl}/user`]);
  const [exchange, lookup] = sent as [Sent, Sent];
  expect(exchange.init.redirect).toBe("error");
  expect(Object.fromEntries(exchange.init.body as URLSearchParams)).toEqual({
    client_id: "Iv23liabc",
    client_secret: secret,
    code: "the-code",
    redirect_uri: back.redirect,
    code_verifier: back.verifier,
  });
  expect(lookup.init.redirect).toBe("error");
  expect(new Headers(lookup.init.headers).get("authorization")).toBe(`Bearer ${token}`);
});

test.each([
  ["bad_verification_code", /does not accept the code/],
  ["incorrect_client_credentials", /check github\.clientId and github\.clientSecret/],
  [
    "redirect_uri_mismatch",
    /add https:\/\/dogwatch\.example\.com\/sign-in\/github\/callback to the App's callback URLs/,
  ],
  ["unverified_user_email", /verify yours/],
  ["something\u202e<new>", /GitHub said 'something\?<new>'/],
])("GitHub says %s, with status 200", async (error, said) => {
  const failure = await refusalOf([json({ error, error_description: "no" })]);
  expect(failure.kind).toBe("refused");
  expect(failure.message).toMatch(said);
  expect(sent).toHaveLength(1);
});

test.each([
  ["no JSON", () => new Response("<html>")],
  ["no token", json({ token_type: "bearer" })],
  ["an empty token", json({ access_token: "", token_type: "bearer" })],
  ["a token of another type", json({ access_token: token, token_type: "mac" })],
  ["trouble", json({ message: "no" }, 502)],
  ["too much", () => new Response("x".repeat(300_000))],
  [
    "nothing",
    () => {
      throw new TypeError("fetch failed");
    },
  ],
])("an exchange that is answered by %s signs nobody in", async (_what, answer) => {
  expect((await refusalOf([answer])).kind).toBe("unreachable");
  expect(sent).toHaveLength(1);
});

test.each([
  ["no JSON", () => new Response("<html>")],
  ["no number", json({ ...octocat, id: "583231" })],
  ["number 0", json({ ...octocat, id: 0 })],
  ["a broken number", json({ ...octocat, id: 1.5 })],
  ["no login", json({ id: 1, type: "User" })],
  ["a login that is none", json({ ...octocat, login: "octo cat" })],
  ["a login that looks like another's", json({ ...octocat, login: "octоcat" })],
  ["401", json({ message: "Bad credentials" }, 401)],
  ["a redirect", () => Response.redirect("https://evil.example/")],
])("somebody who is said to be %s is nobody", async (_what, answer) => {
  expect((await refusalOf([given, answer])).kind).toBe("unreachable");
});

test.each(["Bot", "Organization", "Mannequin"])("a %s is no person", async (type) => {
  const failure = await refusalOf([given, json({ ...octocat, type })]);
  expect(failure).toMatchObject({ kind: "refused", message: expect.stringContaining("only a person signs in") });
});
