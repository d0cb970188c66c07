/** A session lives as long as its job: renewed in time, patient with failures, and given up when its job is gone. */

import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import type { TokenAnswer } from "../../../server/contract.ts";
import { type Clock, keepSession } from "../../../action/relay/session.ts";
import { hostsOfSite } from "../../standins/gateway.ts";

const minute = 60_000;

/** A clock that moves when told, and lets what was due happen in order. */
const handClock = () => {
  let now = Date.parse("2026-01-01T00:00:00Z");
  const due = new Map<number, { at: number; act: () => void }>();
  let count = 0;
  const clock: Clock = {
    now: () => now,
    after(wait, act) {
      const id = count++;
      due.set(id, { at: now + wait, act });
      return () => void due.delete(id);
    },
  };
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  const pass = async (milliseconds: number) => {
    const end = now + milliseconds;
    for (;;) {
      const next = [...due].filter(([, { at }]) => at <= end).toSorted(([, a], [, b]) => a.at - b.at)[0];
      if (!next) break;
      due.delete(next[0]);
      now = Math.max(now, next[1].at);
      next[1].act();
      await settle();
    }
    now = end;
    await settle();
  };
  return { clock, pass, jump: (milliseconds: number) => void (now += milliseconds) };
};

const answer = (n: number): TokenAnswer => ({
  access_token: `token-${n}`,
  issued_token_type: "urn:ietf:params:oauth:token-type:access_token",
  token_type: "Bearer",
  expires_in: 900,
  session_id: randomUUID(),
  session_url: "https://dogwatch.example.com/sessions/1",
  connection: "prod",
  hosts: hostsOfSite,
});

const keeping = (renew: () => Promise<TokenAnswer>) => {
  const { clock, pass, jump } = handClock();
  const lines: string[] = [];
  let lost = 0;
  const session = keepSession({
    opened: answer(0),
    renew,
    clock,
    log: (line) => lines.push(line),
    onLost: () => (lost += 1),
  });
  return { session, pass, jump, lines, lost: () => lost };
};

test("a job of three hours never has an expired token, and renews eighteen times", async () => {
  let renewals = 0;
  const { session, pass } = keeping(async () => answer(++renewals));
  const tokens = new Set<string>();
  for (let passed = 0; passed < 180; passed += 1) {
    await pass(minute);
    tokens.add(await session.token());
  }
  expect(renewals).toBe(18);
  expect(tokens.size).toBe(19);
});

test("a renewal that fails is tried again before the token expires, and says why without a token in it", async () => {
  let attempts = 0;
  const { session, pass, lines } = keeping(async () => {
    attempts += 1;
    if (attempts < 4) throw new Error("the gateway is away");
    return answer(attempts);
  });
  await pass(11 * minute);
  expect(attempts).toBe(4);
  expect(await session.token()).toBe("token-4");
  expect(lines.filter((line) => line.includes("could not be renewed"))).toHaveLength(3);
  expect(lines.join()).not.toMatch(/token-\d/);
});

test("after the machine slept past the token's end, calls wait for one renewal that they share", async () => {
  let renewals = 0;
  const { session, jump } = keeping(async () => answer(++renewals));
  jump(60 * minute);
  expect(await Promise.all([session.token(), session.token(), session.token()])).toEqual([
    "token-1",
    "token-1",
    "token-1",
  ]);
  expect(renewals).toBe(1);
});

test("a session that has been expired for an hour is given up once: its job is gone", async () => {
  const { pass, lost } = keeping(async () => {
    throw new Error("no identity token any more");
  });
  await pass(70 * minute);
  expect(lost()).toBe(0);
  await pass(60 * minute);
  expect(lost()).toBe(1);
});

test("a stopped session renews no more", async () => {
  let renewals = 0;
  const { session, pass } = keeping(async () => answer(++renewals));
  session.stop();
  await pass(60 * minute);
  expect(await session.token()).toBe("token-0");
  expect(renewals).toBe(0);
});
