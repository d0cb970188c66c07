/** Tokens presented with a call, and what memory may and may not answer. */

import { randomBytes } from "node:crypto";
import { beforeEach, expect, test } from "vitest";
import { createPresenter, type FoundGrant, type Presenter } from "../../../server/stages/authenticate/present.ts";
import { digestOf, mintSessionToken, sessionTokenPattern } from "../../../server/stages/authenticate/sessionToken.ts";

const { token, digest } = mintSessionToken(randomBytes);
let time: number;
let stored: FoundGrant | null;
let lookUps: Buffer[];
let announceClosed: (session_id: string) => void;
let answerGate: Promise<void>;
let presenter: Presenter;

beforeEach(() => {
  time = Date.parse("2026-05-04T03:02:01.000Z");
  stored = {
    session_id: "019b0000-0000-7000-8000-000000000001",
    connection: "prod",
    caller: { issuer: "i", issuer_name: "n", subject: "s", groups: [], claims: {} },
    expires_at: new Date(time + 900_000),
    state: "open",
  };
  lookUps = [];
  answerGate = Promise.resolve();
  presenter = createPresenter(
    {
      findByToken: async (asked) => {
        lookUps.push(asked);
        const answer = stored;
        await answerGate;
        return asked.equals(digest) ? answer : null;
      },
      onClosed: (callback) => {
        announceClosed = callback;
      },
    },
    () => new Date(time),
  );
});

test("no token, two tokens, a foreign key and an invented token are refused, each with its own words", async () => {
  const invented = `dws_${"x".repeat(43)}`;
  const datadogKey = "0123456789abcdef0123456789abcdef";
  expect(await presenter.present([])).toMatchObject({
    code: "token_missing",
    message: expect.stringContaining("DD-API-KEY"),
  });
  expect(await presenter.present([token, invented])).toMatchObject({
    code: "token_invalid",
    message: expect.stringContaining("two different"),
  });
  expect(await presenter.present([datadogKey])).toMatchObject({
    code: "token_invalid",
    message: expect.stringContaining("not a session token"),
  });
  expect(lookUps).toHaveLength(0);
  expect(await presenter.present([invented])).toMatchObject({
    code: "token_invalid",
    message: expect.stringContaining("no session"),
  });
  for (const tokens of [[token, invented], [datadogKey], [invented]])
    for (const presented of tokens) expect(JSON.stringify(await presenter.present(tokens))).not.toContain(presented);
});

test("one token in two slots is one token", async () => {
  expect(await presenter.present([token, token])).toMatchObject({ session_id: stored?.session_id, connection: "prod" });
});

test("a hundred calls at once and a hundred after ask the database once", async () => {
  await Promise.all(Array.from({ length: 100 }, () => presenter.present([token])));
  for (let i = 0; i < 100; i++) await presenter.present([token]);
  expect(lookUps).toEqual([digest]);
});

test("an expired token is refused even from memory", async () => {
  await presenter.present([token]);
  time += 900_000;
  expect(await presenter.present([token])).toMatchObject({ code: "token_expired" });
});

test("a session that closes is forgotten at once, and says so", async () => {
  await presenter.present([token]);
  stored = stored && { ...stored, state: "closed" };
  announceClosed(stored?.session_id ?? "");
  expect(await presenter.present([token])).toMatchObject({
    code: "session_closed",
    message: expect.stringContaining("is closed"),
  });
  expect(await presenter.presentEnded([token])).toMatchObject({ state: "closed" });
});

test("a session that closes while it is being looked up is not remembered as open", async () => {
  let open: () => void = () => undefined;
  answerGate = new Promise((resolve) => {
    open = resolve;
  });
  const early = presenter.present([token]);
  stored = stored && { ...stored, state: "closed" };
  announceClosed(stored?.session_id ?? "");
  open();
  await early;
  expect(await presenter.present([token])).toMatchObject({ code: "session_closed" });
});

test("another session's closing changes nothing", async () => {
  await presenter.present([token]);
  announceClosed("019b0000-0000-7000-8000-000000000002");
  await presenter.present([token]);
  expect(lookUps).toHaveLength(1);
});

test("a lost word of a closing is made up for within half a minute", async () => {
  await presenter.present([token]);
  stored = stored && { ...stored, state: "expired" };
  time += 30_000;
  expect(await presenter.present([token])).toMatchObject({ code: "session_closed" });
});

test("a database that cannot answer is a breakage, and is asked again the next time", async () => {
  answerGate = Promise.reject(new Error("down"));
  await expect(presenter.present([token])).rejects.toThrow("down");
  answerGate = Promise.resolve();
  expect(await presenter.present([token])).toMatchObject({ connection: "prod" });
});

test("a session token is dws_ and 256 bits, and its digest is its SHA-256", () => {
  const minted = mintSessionToken(() => Buffer.alloc(32, 0xff));
  expect(minted.token).toBe(`dws_${"_".repeat(42)}8`);
  expect(minted.token).toMatch(sessionTokenPattern);
  expect(minted.digest).toEqual(digestOf(minted.token));
  expect(minted.digest).toHaveLength(32);
});
