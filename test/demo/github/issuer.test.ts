/** The local stand-in of GitHub's issuer: what it signs, and for whom. */

import { afterAll, beforeAll, expect, test } from "vitest";
import { type GitHubStandin, startGitHub } from "../../../server/demo/github/standin.ts";
import type { Issuer } from "../../../server/model/config.ts";
import { identify, trustIssuer } from "../../../server/stages/authenticate/identify.ts";

const now = new Date("2026-05-04T03:02:01.000Z");
const clock = (): Date => now;
const job = { repository: "acme/app", repository_id: "70", repository_owner_id: "1234", run_id: "7", extra: "kept" };

let github: GitHubStandin;
beforeAll(async () => {
  github = await startGitHub({ clock });
});
afterAll(() => github.close());

const ask = async (url: string, token?: string): Promise<Response> =>
  fetch(url, token === undefined ? {} : { headers: { authorization: `bearer ${token}` } });

test("a job gets an identity token that the gateway accepts, a new one each time", async () => {
  const access = github.grant(job);
  const issuer: Issuer = {
    name: "github",
    issuer: github.issuer,
    audience: "https://dogwatch.example.com",
    allow: "",
    events: [],
    algorithms: ["RS256"],
    kind: "github",
  };
  const trusted = [trustIssuer(issuer, () => true, { fetch, clock })];
  const ids = new Set<string>();
  for (let i = 0; i < 2; i++) {
    const url = `${access.ACTIONS_ID_TOKEN_REQUEST_URL}&audience=${encodeURIComponent(issuer.audience)}`;
    const answer = (await (await ask(url, access.ACTIONS_ID_TOKEN_REQUEST_TOKEN)).json()) as { value: string };
    const identity = await identify(trusted, answer.value);
    expect(identity).toMatchObject({
      caller: {
        subject: "repo:acme/app:ref:refs/heads/main",
        claims: {
          ...job,
          event_name: "push",
          run_attempt: "1",
          job_workflow_ref: "acme/app/.github/workflows/agent.yml@refs/heads/main",
        },
      },
    });
    ids.add("token_id" in identity ? identity.token_id : "");
  }
  expect(ids.size).toBe(2);
});

test("nobody gets one without the token of a job, or with another's", async () => {
  const { ACTIONS_ID_TOKEN_REQUEST_URL: url } = github.grant(job);
  expect((await ask(url)).status).toBe(401);
  expect((await ask(url, "")).status).toBe(401);
  expect((await ask(url, "x".repeat(43))).status).toBe(401);
});

test("a run of a pull request has the subject GitHub gives it", async () => {
  const access = github.grant({ ...job, event_name: "pull_request", ref: "refs/pull/7/merge" });
  const answer = await ask(access.ACTIONS_ID_TOKEN_REQUEST_URL, access.ACTIONS_ID_TOKEN_REQUEST_TOKEN);
  const { value } = (await answer.json()) as { value: string };
  const claims: unknown = JSON.parse(Buffer.from(value.split(".")[1] ?? "", "base64url").toString());
  expect(claims).toMatchObject({
    sub: "repo:acme/app:pull_request",
    aud: "https://github.com/acme",
    ref: "refs/pull/7/merge",
  });
});
