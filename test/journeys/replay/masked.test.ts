/** Values that masks took out: made-up ones of the same shape are sent in their place, and what they were only for an admin who asks. */

import { afterAll, beforeAll, expect, test } from "vitest";
import { startUpstream, type Upstream } from "../../standins/upstream.ts";
import { type ReplayScene, startReplayScene } from "./scene.ts";

let upstreams: readonly Upstream[];
let scene: ReplayScene;
beforeAll(async () => {
  const answer = { status: 200, headers: [["content-type", "application/json"]] as const };
  upstreams = await Promise.all(
    [1, 2].map(() =>
      startUpstream(({ body }) => ({ ...answer, body: `{"got":${body.length === 0 ? "null" : body.toString()}}` })),
    ),
  );
  scene = await startReplayScene({
    endpoints: { live: upstreams[0]?.url ?? "", lab: upstreams[1]?.url ?? "" },
    more: `  masks:
    - { name: personal-data, detect: [email, credit-card, iban, phone, ipv4, secret], where: [recording] }`,
  });
});
afterAll(async () => {
  await scene.close();
  await Promise.all(upstreams.map((one) => one.close()));
});

const values = {
  email: "ann.example@acme.com",
  again: "ann.example@acme.com",
  other: "bob@acme.com",
  card: "4111 1111 1111 1111",
  iban: "GB82 WEST 1234 5698 7654 32",
  phone: "+49 151 23456789",
  address: "10.1.2.3",
  token: "ghp_abcdefghijklmnopqrstuvwxyzABCDEFGHIJ",
  text: 'mail "ann.example@acme.com" about it',
};

const record = async (): Promise<string> => {
  const session = await scene.open();
  await scene.call(session, { path: "/api/v1/events", body: values });
  return session.session_id;
};

const arrived = (): typeof values => JSON.parse(upstreams[1]?.requests.at(-1)?.body.toString() ?? "{}");

const luhn = (number: string): boolean =>
  number
    .replaceAll(/\D/g, "")
    .split("")
    .map(Number)
    .toReversed()
    .reduce((sum, digit, index) => sum + (index % 2 === 0 ? digit : digit * 2 - (digit > 4 ? 9 : 0)), 0) %
    10 ===
  0;

const ibanIsRight = (iban: string): boolean => {
  const plain = iban.replaceAll(" ", "");
  const digits = `${plain.slice(4)}${plain.slice(0, 4)}`.replaceAll(/[A-Z]/g, (one) => String(one.charCodeAt(0) - 55));
  return BigInt(digits) % 97n === 1n;
};

test("made-up values of the same shape are sent, the same one for the same value, and nothing of what was masked", async () => {
  const session = await record();
  const replay = await scene.replay(session);
  expect(replay).toMatchObject({ state: "done", same: 1, different: 0, failed: 0 });
  const sent = arrived();
  expect(sent.email).toMatch(/^[a-z]+@stand-in\.invalid$/);
  expect(sent.again).toBe(sent.email);
  expect(sent.other).not.toBe(sent.email);
  expect(sent.text).toBe(`mail "${sent.email}" about it`);
  expect(sent.card).toMatch(/^\d{4} \d{4} \d{4} \d{4}$/);
  expect(luhn(sent.card)).toBe(true);
  expect(sent.iban).toMatch(/^[A-Z]{2}\d{2} [A-Z]{4}( \d{4}){3} \d{2}$/);
  expect(ibanIsRight(sent.iban)).toBe(true);
  expect(sent.phone).toMatch(/^\+\d{2} \d{3} \d{8}$/);
  expect(sent.address).toMatch(/^192\.0\.2\.\d+$/);
  expect(sent.token).toHaveLength(values.token.length);
  const all = JSON.stringify(sent);
  for (const value of Object.values(values)) expect(all).not.toContain(value);
  expect(all).not.toContain("dwm_");
  // The same in every replay.
  await scene.replay(session);
  expect(arrived()).toEqual(sent);
});

test("an admin may have them restored, which is in the audit log first; and they are masked again in the replay's recording", async () => {
  const session = await record();
  const replay = await scene.replay(session, { masked: "restore" });
  expect(arrived()).toEqual(values);
  expect(await scene.audited(/replay_started.*with the values that masks hide/)).toMatchObject({ who: "boss (admin)" });
  const [call] = await scene.calls(replay.replay_session_id ?? "");
  for (const value of [values.email, values.card, values.token]) expect(JSON.stringify(call)).not.toContain(value);
  const calls = JSON.stringify(await scene.replayed(replay.id));
  for (const value of [values.email, values.card, values.token]) expect(calls).not.toContain(value);
});
