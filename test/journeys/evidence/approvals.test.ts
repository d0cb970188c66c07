/** Who let a call pass is part of what is sealed: whoever changes it in the database, with every right there is, is found, and the call is named. */

import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Answer } from "../../../server/model/approval.ts";
import { beginChain, continueChain } from "../../../server/stages/seal/chain.ts";
import { digestReceipt, printReceipt, receiptOf } from "../../../server/stages/seal/receipt.ts";
import { sealedSessionOf } from "../../../server/journeys/seal.ts";
import { no, question, yes } from "../../store/questions.ts";
import { closing, opening, openSession } from "../../store/specimens.ts";
import { named, reportOf, type Scene, startScene, verify } from "./scene.ts";

let scene: Scene;
let id: string;
/** Calls 2 and 3 went by the first one, call 4 was denied; nobody was asked about call 1. */
let approvals: { readonly granted: string; readonly denied: string };

beforeEach(async () => {
  scene = await startScene();
  ({ id, approvals } = await record());
});
afterEach(() => scene.close());

/** A session that is over and has no seal. */
const record = async () => {
  const { sessions, sink, approvals: asking } = scene.store;
  const session = await openSession(sessions);
  await sink.record(opening(session.id), () => closing());
  const ask = async (answer: Omit<Answer, "at">) => {
    const { approval } = await asking.ask(question(session.id, { grants: { session: true, longest: null } }));
    const call = await sink.open(opening(session.id, { access: "destructive", approval_id: approval.id }));
    // It came first, and does not count: attempts go on coming after a session is sealed, and are no part of it.
    await asking.answer(approval.id, { key: "comment:1", answer: { ...yes("github:mallory"), accepted: false } });
    await asking.answer(approval.id, { key: "comment:2", answer });
    return { approval, call };
  };
  const first = await ask(yes("github:ana", { reason: "looks right", grant: { kind: "session" } }));
  const { operation, terms, binding } = first.approval;
  const grant = { operation, rule: terms.rule, policy: binding.policy };
  expect(
    await asking.consume(first.approval.id, { call: first.call, grant: { ...grant, by: "github:ana", lasts: null } }),
  ).toBe(true);
  await sink.close(first.call, closing());
  const found = await asking.findGrant({ session_id: session.id, ...grant });
  if (found === null) throw new Error("there is no grant");
  const further = await sink.open(opening(session.id, { access: "destructive", approval_id: found.approval_id }));
  expect(await asking.useGrant(found, further)).toBe(true);
  await sink.close(further, closing());
  const last = await ask(no("github:ben", "not today"));
  await sink.close(last.call, closing({ state: "refused", status: 403, error_code: "approval_denied" }));
  await sessions.close(session.id, "closed");
  return { id: session.id, approvals: { granted: first.approval.id, denied: last.approval.id } };
};

const seal = async (): Promise<void> => {
  const sealed = await scene.sealer.seal(id);
  if (sealed === null || sealed.checkpoint === null) throw new Error("the session was not sealed");
};

const check = async (wanted: "all" | readonly string[] = [id]) =>
  reportOf(await verify(await scene.export(wanted), { keys: scene.keys, wanted }), id);

test("who answered, where, when and with which words, and the grant that let further calls pass, are in the export", async () => {
  await seal();
  expect(await check()).toMatchObject({ verdict: "unanchored", findings: [], notes: [] });
  const receipts = (await scene.export([id]))
    .map((line) => JSON.parse(line))
    .flatMap(({ kind, receipt }) => (kind === "receipt" ? [receipt] : []));
  expect(receipts.map(({ approval }) => approval?.id ?? null)).toEqual([
    null,
    approvals.granted,
    approvals.granted,
    approvals.denied,
  ]);
  const hex = expect.stringMatching(/^[0-9a-f]{64}$/);
  expect(receipts[1].approval).toMatchObject({
    state: "consumed",
    code: "K7Q2M9",
    digest: hex,
    question: hex,
    binding: hex,
    terms: { rule: "deletes-need-a-human", approvers: { permission: "write", count: 1 } },
    answers: [{ key: "comment:2", verdict: "approve", by: "github:ana", via: "comment", reason: "looks right" }],
    grant: { by: "github:ana", expires_at: null },
    passed: { grant_id: receipts[1].approval.grant.id },
  });
  expect(receipts[2].approval).toMatchObject({ grant: receipts[1].approval.grant, answers: [{ by: "github:ana" }] });
  expect(receipts[3].approval).toMatchObject({
    state: "denied",
    reason: "denied by github:ben: not today",
    answers: [{ verdict: "deny", by: "github:ben", reason: "not today" }],
    grant: null,
    passed: null,
  });
});

test("what happens to a question after its session was sealed changes nothing", async () => {
  await seal();
  const { approvals: asking } = scene.store;
  await asking.answer(approvals.granted, { key: "comment:9", answer: yes("github:late") });
  await asking.answer(approvals.denied, { key: "comment:10", answer: no("github:late") });
  await asking.expire();
  expect(await asking.end(approvals.denied, "cancelled", "too late")).toBeNull();
  expect((await check()).findings).toEqual([]);
});

describe("somebody with all rights on the database", () => {
  const granted = () => `approval_id = '${approvals.granted}'`;
  const denied = () => `approval_id = '${approvals.denied}'`;
  /** Both calls that went by it, or the one that did not. */
  const [passed, refused] = [["approval 2", "approval 3"], ["approval 4"]];

  test.each<readonly [string, () => string, readonly string[]]>([
    [
      "says that somebody else approved",
      () => `UPDATE approval_answers SET by = 'github:eve' WHERE accepted AND ${granted()}`,
      passed,
    ],
    [
      "says that it was answered elsewhere",
      () => `UPDATE approval_answers SET via = 'page' WHERE accepted AND ${granted()}`,
      passed,
    ],
    [
      "names another comment",
      () => `UPDATE approval_answers SET key = 'comment:3' WHERE accepted AND ${granted()}`,
      passed,
    ],
    [
      "changes when",
      () => `UPDATE approval_answers SET at = at + interval '1 ms' WHERE accepted AND ${granted()}`,
      passed,
    ],
    ["changes the words", () => `UPDATE approval_answers SET reason = '' WHERE accepted AND ${granted()}`, passed],
    [
      "changes what was asked for beyond the call",
      () => `UPDATE approval_answers SET asked_grant = NULL WHERE accepted AND ${granted()}`,
      passed,
    ],
    ["takes the answer away", () => `DELETE FROM approval_answers WHERE accepted AND ${granted()}`, passed],
    [
      "says that a refused attempt counted",
      () => `UPDATE approval_answers SET accepted = true WHERE ${granted()}`,
      passed,
    ],
    [
      "turns a denial into an approval",
      () => `UPDATE approval_answers SET verdict = 'approve' WHERE accepted AND ${denied()}`,
      refused,
    ],
    [
      "changes the end of a question",
      () => `UPDATE approvals SET state = 'expired', reason = '' WHERE id = '${approvals.denied}'`,
      refused,
    ],
    [
      "changes what people were shown",
      () =>
        `UPDATE approvals SET question = replace(question::text, '4212', '4213')::json WHERE id = '${approvals.granted}'`,
      passed,
    ],
    [
      "changes what was bound",
      () =>
        `UPDATE approvals SET binding = replace(binding::text, 'acme', 'acmf')::json WHERE id = '${approvals.granted}'`,
      passed,
    ],
    [
      "changes its digest",
      () => `UPDATE approvals SET digest = sha256(digest) WHERE id = '${approvals.granted}'`,
      passed,
    ],
    [
      "changes of which run it was",
      () => `UPDATE approvals SET run = '${JSON.stringify(run)}' WHERE id = '${approvals.granted}'`,
      passed,
    ],
    [
      "changes who might answer",
      () =>
        `UPDATE approvals SET terms = replace(terms::text, '"self":false', '"self":true')::json WHERE id = '${approvals.granted}'`,
      passed,
    ],
    [
      "changes when it was asked",
      () => `UPDATE approvals SET asked_at = asked_at - interval '1 hour' WHERE id = '${approvals.granted}'`,
      passed,
    ],
    ["says that somebody else gave the grant", () => `UPDATE grants SET given_by = 'github:eve'`, passed],
    ["lets the grant end", () => `UPDATE grants SET expires_at = made_at`, passed],
    ["takes the grant away", () => `DELETE FROM grants`, passed],
    ["takes a departure away", () => `DELETE FROM departures WHERE n = 3`, ["approval 3"]],
    [
      "says that a denied call was let go",
      () => `INSERT INTO departures (session_id, n, approval_id) VALUES ('${id}', 4, '${approvals.denied}')`,
      refused,
    ],
    [
      "says that a call was approved about which nobody was asked",
      () => `INSERT INTO departures (session_id, n, approval_id) VALUES ('${id}', 1, '${approvals.granted}')`,
      ["approval 1"],
    ],
    ["takes the question away", () => `DELETE FROM approvals WHERE id = '${approvals.denied}'`, refused],
    [
      "writes into an answer what no gateway writes",
      () => `UPDATE approvals SET terms = '{}' WHERE id = '${approvals.denied}'`,
      ["chain 4"],
    ],
  ])("who %s is found, and the calls are named", async (_what, statement, expected) => {
    await seal();
    await scene.tamper(
      "ALTER TABLE approval_answers DROP CONSTRAINT approval_answers_approval_id_fkey",
      "ALTER TABLE departures DROP CONSTRAINT departures_approval_id_fkey, DROP CONSTRAINT departures_grant_id_fkey",
      statement(),
    );
    for (const report of [await check(), await check("all")]) {
      expect(report.verdict).toBe("altered");
      expect(named(report)).toEqual(expected);
    }
  });

  test("who says that it was sealed by a version that knew nothing of approvals is found", async () => {
    await seal();
    await scene.tamper("UPDATE seals SET form = 1", "UPDATE approval_answers SET by = 'github:eve' WHERE accepted");
    const report = await check();
    expect([report.verdict, named(report)]).toEqual([
      "altered",
      ["session", "approval 1", "approval 2", "approval 3", "approval 4"],
    ]);
  });

  test("and without switching anything off, none of it can be changed", async () => {
    await seal();
    for (const statement of [
      "UPDATE approval_answers SET by = 'github:eve'",
      "UPDATE grants SET given_by = 'github:eve'",
      "DELETE FROM grants",
      "UPDATE departures SET n = 9",
      "UPDATE approvals SET reason = 'approved by github:eve'",
      "UPDATE approvals SET run = '{}'",
      "UPDATE seals SET form = 1",
    ])
      await expect(scene.database.query(statement), statement).rejects.toThrow(/is refused|ends once|never changes/);
  });
});

test("the export: an approval that somebody changed, took out of its receipt or put into another is found", async () => {
  await seal();
  const lines = await scene.export([id]);
  const forge = (n: number, change: (receipt: Record<string, unknown>) => object): string[] =>
    lines.map((line) => {
      const read = JSON.parse(line);
      return read.kind === "receipt" && read.receipt.n === n
        ? JSON.stringify({ ...read, receipt: change(read.receipt) })
        : line;
    });
  const other = JSON.parse(lines.find((line) => line.includes('"n":2,')) ?? "{}").receipt.approval;
  for (const [n, change] of [
    [2, (receipt) => JSON.parse(JSON.stringify(receipt).replaceAll("github:ana", "github:eve"))],
    [2, ({ approval: _gone, ...receipt }) => receipt],
    [2, (receipt) => ({ ...receipt, approval: null })],
    [1, (receipt) => ({ ...receipt, approval: other })],
  ] as const satisfies readonly (readonly [number, (receipt: Record<string, unknown>) => object])[]) {
    const report = reportOf(await verify(forge(n, change), { keys: scene.keys, wanted: [id] }), id);
    expect([report.verdict, named(report)]).toEqual(["altered", [`approval ${n}`]]);
  }
});

test("a session that an earlier version sealed stays as it was, and what its chain does not say is said", async () => {
  const { store } = scene;
  const session = await store.sessions.get(id);
  const page = await store.receipts.calls(id, { limit: 200 });
  if (session === null || "code" in page) throw new Error("no session");
  const receipts = page.items.map((call) => receiptOf(call));
  const digests = receipts.map(digestReceipt);
  const start = beginChain(sealedSessionOf(session, 1));
  await store.seals.keepDigests(id, { from: 0, digests: start, prints: Buffer.alloc(0) });
  const prints = Buffer.concat(receipts.map((receipt) => printReceipt(receipt, 1)));
  await store.seals.keepDigests(id, { from: 1, digests: Buffer.concat(digests), prints });
  // As that version did: without saying a form.
  await scene.database.query(
    `INSERT INTO seals (session_id, calls, head, state, sealed_at) VALUES ($1, 4, $2, 'closed', clock_timestamp())`,
    [id, digests.reduce(continueChain, start)],
  );
  await scene.database.query(`UPDATE sessions SET sealed = true WHERE id = $1`, [id]);
  await scene.sealer.round();

  expect(await check()).toMatchObject({
    verdict: "unanchored",
    findings: [],
    notes: [expect.stringMatching(/^3 calls were held for people: who answered is not in the chain/)],
  });
  await scene.tamper(`UPDATE closings SET status = 500 WHERE session_id = '${id}' AND n = 3`);
  expect(named(await check())).toEqual(["outcome 3"]);
});

const run = {
  repository: "acme/app",
  repository_id: "42",
  run_id: "9001",
  run_attempt: "1",
  pull: null,
  own_people: [],
  head_sha: "b".repeat(40),
};
