/** Ends sessions, waits for their seals, and checks everything that is recorded as an auditor would: from an export, with the public key. */

import { setTimeout as sleep } from "node:timers/promises";
import type { SessionJson, TokenAnswer } from "../../server/contract.ts";
import { readVerifierKey } from "../../server/stages/seal/note.ts";
import { linesOf } from "../../server/cli/evidence/lines.ts";
import { keptByDefault } from "../../server/stages/seal/verify/trust.ts";
import { verifyProof } from "../../server/stages/seal/verify/verify.ts";
import { auditorToken } from "../standins/world.ts";

/** What does not verify, in words; nothing where all does. */
export const sealAndVerify = async (url: string, sessions: readonly TokenAnswer[]): Promise<string[]> => {
  const closed = await Promise.all(sessions.map((session) => close(url, session)));
  for (const id of closed) if (id !== null) await sealed(url, id);
  const keys = (await (await read(url, "/v1/log/key")).text())
    .split("\n")
    .flatMap((line) => readVerifierKey(line) ?? []);
  const { body } = await read(url, "/v1/proof?all=true");
  if (body === null) throw new Error("the export is empty");
  const trust = { keys, anchors: [], wanted: "all", now: new Date(), kept: keptByDefault } as const;
  const report = await verifyProof(linesOf(body), trust);
  const seen = new Set(report.sessions.map(({ session_id }) => session_id));
  return [
    ...report.findings.map(({ kind, message }) => `${kind}: ${message}`),
    ...report.sessions.flatMap(({ session_id, findings }) =>
      findings.map(({ kind, n, message }) => `${session_id}/${n}: ${kind}: ${message}`),
    ),
    ...closed.flatMap((id) => (id === null || seen.has(id) ? [] : [`${id} is not in the export`])),
  ];
};

/** A gateway that records again may still be without the connections by which it reads: it says so with 503, and is asked until it has them. */
const ask = async (url: string, init: RequestInit): Promise<Response> => {
  for (;;) {
    const response = await fetch(url, init);
    if (response.status !== 503) return response;
    await response.arrayBuffer();
    await sleep(50);
  }
};

const read = async (url: string, path: string): Promise<Response> => {
  const response = await ask(url + path, { headers: { authorization: `Bearer ${auditorToken}` } });
  if (response.status !== 200) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return response;
};

/** Null for one whose token is not good any more: it expires by itself, later than anybody waits here. */
const close = async (url: string, { session_id, access_token }: TokenAnswer): Promise<string | null> => {
  const { status } = await ask(`${url}/v1/sessions/${session_id}/close`, {
    method: "POST",
    headers: { authorization: `Bearer ${access_token}` },
  });
  if (status === 401) return null;
  if (status !== 200) throw new Error(`closing ${session_id} was answered with ${status}`);
  return session_id;
};

const sealed = async (url: string, id: string): Promise<void> => {
  for (;;) {
    const session = (await (await read(url, `/v1/sessions/${id}`)).json()) as SessionJson;
    // Its place in the log comes with the checkpoint that covers it.
    if (session.seal !== null && session.seal.checkpoint !== null) return;
    await sleep(50);
  }
};
