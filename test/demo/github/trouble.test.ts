/** Limits, ETags and everything that goes wrong on demand. */

import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Acme } from "./acme.ts";

let acme: Acme;
beforeEach(async () => {
  acme = await Acme.open();
});
afterEach(() => acme.close());

const path = "/repos/acme/checkout/issues/comments";
const writing = "/repos/acme/checkout/issues/7/comments";
const body = { body: "Hello" };

describe("limits", () => {
  test("are said with every answer, each caller has its own, and they begin anew after an hour", async () => {
    const { github, installation } = acme;
    github.limits.set(3);
    const token = acme.token();
    const ask = () => acme.ask("GET", path, { token });
    expect(Object.fromEntries((await ask()).headers)).toMatchObject({
      "x-ratelimit-limit": "3",
      "x-ratelimit-remaining": "2",
      "x-ratelimit-used": "1",
      "x-ratelimit-resource": "core",
      "x-ratelimit-reset": String(Math.ceil(acme.clock.now.getTime() / 1_000) + 3_600 - 0),
    });
    await ask();
    await ask();
    expect(github.limits.left(installation.id)).toBe(0);
    expect(await ask()).toMatchObject({
      status: 403,
      body: { message: expect.stringContaining("rate limit exceeded") },
    });
    expect((await acme.ask("GET", "/app", { token: await acme.jwt() })).status).toBe(200);
    expect((await acme.ask("GET", path, { token: acme.token() })).status).toBe(403);
    acme.later(3_600_000);
    expect((await acme.ask("GET", path, { token: acme.token() })).status).toBe(200);
  });

  test("of the second kind come with the time to wait", async () => {
    acme.github.limits.secondary({ retry_after: 60, status: 429 });
    const refused = await acme.ask("GET", path, { token: acme.token() });
    expect(refused).toMatchObject({ status: 429, body: { message: expect.stringContaining("secondary rate limit") } });
    expect(refused.headers.get("retry-after")).toBe("60");
    expect((await acme.ask("GET", path, { token: acme.token() })).status).toBe(200);
  });
});

describe("an ETag", () => {
  test("makes an answer that is known already cost nothing", async () => {
    const { github, installation, pull } = acme;
    const token = acme.token();
    const first = await acme.ask("GET", path, { token });
    const left = github.limits.left(installation.id);
    const known = { token, headers: { "if-none-match": first.headers.get("etag") } };
    const again = await acme.ask("GET", path, known);
    expect(again).toMatchObject({ status: 304, body: undefined });
    expect(again.headers.get("etag")).toBe(first.headers.get("etag"));
    expect(again.headers.get("x-ratelimit-remaining")).toBe(String(left));
    expect(github.limits.left(installation.id)).toBe(left);
    github.as("mona").comment(pull, "Something new");
    const changed = await acme.ask("GET", path, known);
    expect(changed).toMatchObject({ status: 200, body: [{ body: "Something new" }] });
    expect(github.limits.left(installation.id)).toBe(left - 1);
  });

  test("is another one with another token", async () => {
    const first = await acme.ask("GET", path, { token: acme.token() });
    const headers = { "if-none-match": first.headers.get("etag") };
    expect((await acme.ask("GET", path, { token: acme.token(), headers })).status).toBe(200);
  });
});

describe("a fault", () => {
  const write = () => acme.ask("POST", writing, { token: acme.token(), body });
  const written = () => acme.github.comments.on(acme.pull).length;

  test("answers with an error, and nothing is done", async () => {
    acme.github.faults.next("issues/create-comment", { kind: "status", status: 502 });
    expect((await acme.ask("GET", path, { token: acme.token() })).status).toBe(200);
    expect((await write()).status).toBe(502);
    expect(written()).toBe(0);
    expect((await write()).status).toBe(201);
  });

  test("drops the connection before anything is done, or after it is done", async () => {
    const { faults, requests } = acme.github;
    faults.next("any", { kind: "refused" });
    await expect(write()).rejects.toThrow("fetch failed");
    expect(written()).toBe(0);
    faults.next("issues/create-comment", { kind: "lost" });
    await expect(write()).rejects.toThrow("fetch failed");
    expect(written()).toBe(1);
    expect(requests.slice(-2)).toMatchObject([
      { operation: "issues/create-comment", status: 0, body },
      { operation: "issues/create-comment", status: 0, by: `installation ${acme.installation.id}` },
    ]);
  });

  test("never answers", async () => {
    acme.github.faults.next("issues/create-comment", { kind: "silent" }, 2);
    const given = new AbortController();
    const asked = fetch(`${acme.github.apiUrl}${writing}`, {
      method: "POST",
      headers: { authorization: `Bearer ${acme.token()}` },
      body: JSON.stringify(body),
      signal: given.signal,
    });
    await expect.poll(() => acme.github.requests.at(-1)?.operation).toBe("issues/create-comment");
    expect(written()).toBe(0);
    given.abort();
    await expect(asked).rejects.toThrow("aborted");
    acme.github.faults.clear();
    expect((await write()).status).toBe(201);
  });

  test("answers late", async () => {
    let let_go = (): void => undefined;
    const until = new Promise<void>((done) => (let_go = done));
    acme.github.faults.next("issues/create-comment", { kind: "late", until });
    const answer = write();
    await expect.poll(written).toBe(1);
    let_go();
    expect((await answer).status).toBe(201);
  });
});

test("what is no JSON is refused", async () => {
  const answer = await fetch(`${acme.github.apiUrl}${writing}`, {
    method: "POST",
    headers: { authorization: `Bearer ${acme.token()}` },
    body: "{",
  });
  expect([answer.status, await answer.json()]).toMatchObject([400, { message: "Problems parsing JSON" }]);
  acme.findings.length = 0;
});
