/** Records calls with the bodies of Datadog's recordings through the real sink, every body different from all others. */

import { createHash } from "node:crypto";
import type { Closing, Masked, Opening } from "../../../server/model/receipt.ts";
import type { Store } from "../../../server/store/database.ts";
import type { Exchange } from "../../standins/recordings.ts";
import { bodyOf, clientFields, newSession } from "../../store/specimens.ts";

const callsOfSession = 500;
const abreast = 256;
/** Bytes of both bodies of a call, about. */
const size = 2_048;

const policy = createHash("sha256").update("policy").digest("hex");
/** One in so many. */
const denied = 50;
const failed = 20;

/** `from`: the number of the first; numbers make bodies differ, and are what a search can find once. */
export const recordCalls = async (
  store: Store,
  exchanges: readonly Exchange[],
  { from, calls }: { readonly from: number; readonly calls: number },
): Promise<number> => {
  const sessions = await Promise.all(
    Array.from({ length: Math.ceil(calls / callsOfSession) }, (_, i) =>
      store.sessions.open(
        newSession({
          caller: {
            issuer: "https://token.actions.githubusercontent.com",
            issuer_name: "github",
            subject: `repo:acme/app-${i % 40}:ref:refs/heads/main`,
            groups: [],
            claims: {
              repository: `acme/app-${i % 40}`,
              repository_id: String(i % 40),
              run_id: String(9_000 + from + i),
              actor: `dev-${i % 100}`,
              ref: `refs/pull/${i % 300}/merge`,
            },
          },
        }),
      ),
    ),
  );
  let next = from;
  const began = performance.now();
  const work = async (): Promise<void> => {
    for (let n = next++; n < from + calls; n = next++) {
      const exchange = exchanges[(n * 7_919) % exchanges.length];
      const session = sessions[Math.floor((n - from) / callsOfSession)];
      if (exchange === undefined || session === undefined) throw new Error("there is nothing to record");
      await record(store, session.id, { exchange, fill: fillOf(exchanges, n), n });
    }
  };
  await Promise.all(Array.from({ length: abreast }, work));
  return (performance.now() - began) / 1_000;
};

/** Answers that follow one another, up to the size. */
const fillOf = (exchanges: readonly Exchange[], n: number): Buffer => {
  const pieces: Buffer[] = [];
  let held = 0;
  for (let i = 1; held < size; i++) {
    const piece = exchanges[(n * 7_919 + i * 31) % exchanges.length]?.response.body ?? Buffer.alloc(0);
    pieces.push(piece);
    held += piece.length + 1;
  }
  return Buffer.from(pieces.join(","));
};

/** A number of its own, as ids are: random to look at. */
export const markOf = (n: number): string => createHash("md5").update(`call ${n}`).digest("hex");

const record = async (
  store: Store,
  session_id: string,
  {
    exchange: { request, response },
    fill,
    n,
  }: { readonly exchange: Exchange; readonly fill: Buffer; readonly n: number },
): Promise<void> => {
  const mark = markOf(n);
  const own = `{"trace_id":"${mark}","attempt":${n},"data":[${response.body.toString()},${fill.toString()}`.slice(
    0,
    size - request.body.length,
  );
  const reads = request.method === "GET";
  const kind = request.path.split("/")[3] ?? "monitor";
  const operation = `v1.${kind}.${reads ? "Get" : "Change"}`;
  const isDenied = n % denied === 0;
  const received_at = new Date();
  const rule = isDenied ? "no-deletes" : reads ? "agents-may-read" : "writes-need-a-human";
  const opening: Opening = {
    session_id,
    operation,
    access: reads ? "read" : "write",
    method: request.method,
    host: "api.datadoghq.com",
    path: request.path,
    query: request.query,
    decision: {
      effect: isDenied ? "deny" : "allow",
      rules: [{ name: rule, effect: isDenied ? "deny" : "allow", reason: "it matched" }],
      reason: `${operation} is decided by rule ${rule}`,
      policy,
    },
    client: "datadog-api-client-typescript/1.64.0 (node v24.21.0; os Linux; arch x64)",
    received_at,
    decided_at: received_at,
    request: { headers: clientFields, body: request.body.length === 0 ? null : bodyOf(request.body.subarray(0, size)) },
  };
  const closing: Closing = {
    state: isDenied ? "refused" : "closed",
    status: isDenied ? 403 : n % failed === 1 ? 404 : 200,
    error_code: isDenied ? "denied" : null,
    error: isDenied ? `${operation} is denied by rule ${rule}` : null,
    upstream: "https://api.datadoghq.com",
    forwarded_at: received_at,
    first_byte_at: received_at,
    done_at: new Date(received_at.getTime() + (n % 1_000)),
    request_body: null,
    response: { headers: [["content-type", "application/json"]], body: bodyOf(`${own}]}`) },
  };
  // Masks come before the store; here is nothing to mask.
  await store.sink.record(opening as Masked<Opening>, () => closing as Masked<Closing>);
};
