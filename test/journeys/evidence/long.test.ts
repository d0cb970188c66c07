/** A long session is sealed, exported and verified page by page: what is alive in memory does not grow with it. The full length is `test/bench/evidence.ts`. */

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { exportProof, type ProofParts } from "../../../server/journeys/proof.ts";
import { sealSession } from "../../../server/journeys/seal.ts";
import type { StoredCall } from "../../../server/model/receipt.ts";
import type { Seal, SealedDigests } from "../../../server/model/seal.ts";
import type { Session } from "../../../server/model/session.ts";
import { signCheckpoint } from "../../../server/stages/seal/checkpoint.ts";
import { leafOf } from "../../../server/stages/seal/chain.ts";
import { hashLeaf } from "../../../server/stages/seal/merkle.ts";
import { keptByDefault } from "../../../server/stages/seal/verify/trust.ts";
import { verifyProof } from "../../../server/stages/seal/verify/verify.ts";
import { newSignKeys } from "../../standins/sealing.ts";
import { newSession, opening } from "../../store/specimens.ts";

const calls = 12_000;
/** Receipts of a page, and what a test runner keeps; all of the session would be several times as much. */
const mostAlive = 24 * 2 ** 20;

const id = "01999999-0000-7000-8000-000000000001";
const at = new Date(Number.parseInt(id.replaceAll("-", "").slice(0, 12), 16));
const { caller, connection } = newSession();
const session: Session = {
  id,
  caller,
  connection,
  state: "closed",
  opened_at: at,
  closed_at: at,
  calls,
  denied: 0,
  approved: 0,
  masked: 0,
  hold: null,
  seal: null,
};

/** Made when it is asked for, and kept by nobody here. */
const callOf = (n: number): StoredCall => {
  const { request: _unused, ...line } = opening(id);
  const headers = Array.from({ length: 20 }, (_, i): [string, string] => [
    `x-header-${i}`,
    `${"value ".repeat(15)}${n}`,
  ]);
  const end = {
    status: 200,
    error_code: null,
    error: null,
    upstream: null,
    forwarded_at: at,
    first_byte_at: at,
    done_at: at,
  };
  return {
    ...line,
    ...end,
    n,
    approval_id: null,
    state: "closed",
    request: { headers, body: null },
    response: { headers, body: null },
    response_decision: null,
  };
};

const gc = (): (() => void) => {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
};

test("12,000 calls, sealed, exported and verified", { timeout: 120_000 }, async () => {
  const collect = gc();
  const alive: number[] = [];
  const look = (): void => {
    collect();
    alive.push(process.memoryUsage().heapUsed);
  };
  const digests: SealedDigests[] = [];
  let seal: Seal | null = null;
  let read = 0;
  const receipts: ProofParts["receipts"] = {
    call: async (_session, n) => callOf(n),
    calls: async (_session, { limit, cursor = "0" }) => {
      const from = Number(cursor);
      const to = Math.min(from + limit, calls);
      read = to;
      if (to % 3_000 === 0) look();
      return {
        items: Array.from({ length: to - from }, (_, i) => callOf(from + i + 1)),
        next_cursor: to === calls ? null : String(to),
      };
    },
  };
  const never = () => Promise.reject(new Error("nobody asks for this"));
  const seals: ProofParts["seals"] = {
    get: async () => seal,
    isOver: async () => true,
    keepDigests: async (_session, kept) => void digests.push(kept),
    digests: async (_session, from) => digests.find((row) => row.from >= from) ?? null,
    add: async ({ form: _unused, ...text }) => (seal = { ...text, log_index: null, checkpoint: null }),
    salt: async () => null,
    form: async () => 2,
    approvals: async () => new Map(),
    unsealed: never,
    outside: never,
    logged: never,
  };
  const signKeys = newSignKeys();
  const sessions = { get: async () => session };
  look();
  const waiting = await sealSession({ sessions, receipts, seals, now: () => at }, id);
  if (waiting === null) throw new Error("the session was not sealed");
  // A log of this one leaf.
  const root = hashLeaf(leafOf(waiting));
  const note = await signCheckpoint({ size: 1, root }, signKeys.signers);
  seal = { ...waiting, log_index: 0, checkpoint: note };
  const sealLog: ProofParts["sealLog"] = {
    checkpoint: async () => note,
    size: async () => 1,
    readTile: async () => root,
    append: never,
    publish: never,
  };

  const parts: ProofParts = {
    sessions,
    receipts,
    seals,
    sealLog,
    signKeys,
    bodies: { read: () => never() as never, readSmall: async () => new Map() },
    keepsReceipts: () => 1,
    auditFirst: async () => undefined,
    now: () => at,
  };
  const found = await exportProof(parts, { kind: "access", name: "ops", role: "auditor" }, [id]);
  if ("code" in found) throw new Error(found.message);
  let [written, ahead] = [0, 0];
  const lines = async function* (): AsyncGenerator<string> {
    for await (const line of found) {
      if (line.kind === "receipt") written += 1;
      ahead = Math.max(ahead, read - written);
      yield JSON.stringify(line);
    }
  };
  read = 0;
  const report = await verifyProof(lines(), {
    keys: signKeys.known,
    anchors: [],
    wanted: [id],
    now: at,
    kept: keptByDefault,
  });
  look();

  expect(report.findings).toEqual([]);
  expect(report.sessions).toMatchObject([{ session_id: id, verdict: "unanchored", calls, findings: [] }]);
  expect(ahead).toBeLessThanOrEqual(500);
  expect(alive.length).toBeGreaterThan(8);
  expect(Math.max(...alive) - Math.min(...alive)).toBeLessThan(mostAlive);
});
