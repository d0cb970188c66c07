/** The stand-in gateway's approvals: it holds what it is told to hold, joins identical requests, and lets each approval pass one call. */

import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { ApprovalJson } from "../../server/contract.ts";
import type { Received } from "./gateway.ts";

export type StandinApprovals = {
  /** Which calls ask; none, unless set. */
  holds: (call: Received) => boolean;
  /** In the order in which they were asked. */
  readonly asked: ApprovalJson[];
  /** Every question about one, as `id?wait=…`, with its token. */
  readonly polls: { readonly url: string; readonly token: string }[];
  /** Calls that passed: those that nobody held, and those approved. */
  readonly passed: Received[];
  decide(state: ApprovalJson["state"], more?: Partial<ApprovalJson>): void;
  /** Of this many questions each is answered by a broken connection. */
  breakPolls: number;
  /** What is answered to a question in place of the approval; null takes it back. */
  instead: { readonly status: number; readonly code?: string; readonly body: string } | null;
};

type Exchange = { readonly request: IncomingMessage; readonly response: ServerResponse };

export type ApprovalDesk = StandinApprovals & {
  /** False when the call is to be answered as any other. */
  take(call: Received, response: ServerResponse): boolean;
  answerPoll(url: string, exchange: Exchange): void;
  /** As the end of a session does. */
  cancel(): void;
};

const live = new Set(["pending", "approved"]);
/** What `Prefer` says, all of it. */
export const preferenceOf = ({ rawHeaders }: Pick<Received, "rawHeaders">): string =>
  rawHeaders.filter((_, i) => i % 2 === 1 && /^prefer$/i.test(rawHeaders[i - 1] as string)).join(", ");

const sameness = ({ method, url, body }: Received) => `${method} ${url} ${body.toString("base64")}`;

/** @param tokens those that may ask */
export const createDesk = (origin: () => string, tokens: readonly string[]): ApprovalDesk => {
  const words = new Map<string, string>();
  const waking = new Set<() => void>();
  const latest = () => desk.asked.at(-1) as ApprovalJson;
  const change = (approval: ApprovalJson, more: Partial<ApprovalJson>) => {
    Object.assign(approval, more);
    for (const wake of waking) wake();
  };
  const pass = (call: Received): false => {
    desk.passed.push(call);
    return false;
  };
  const desk: ApprovalDesk = {
    holds: () => false,
    asked: [],
    polls: [],
    passed: [],
    breakPolls: 0,
    instead: null,
    decide: (state, more = {}) => change(latest(), { state, decided_at: new Date().toISOString(), ...more }),
    cancel() {
      for (const approval of desk.asked)
        if (live.has(approval.state)) change(approval, { state: "cancelled", reason: "the session ended" });
    },
    take(call, response) {
      if (!desk.holds(call)) return pass(call);
      const known = desk.asked.find(({ id, state }) => live.has(state) && words.get(id) === sameness(call));
      if (known?.state === "approved") {
        change(known, { state: "consumed", consumed_by: `${known.session_id}/2` });
        return pass(call);
      }
      const approval = known ?? approvalJson(origin());
      if (!known) desk.asked.push(approval);
      words.set(approval.id, sameness(call));
      const asynchronous = preferenceOf(call).includes("respond-async");
      const headers = { "content-type": "application/json", "dogwatch-call": approval.call_id ?? "" };
      if (asynchronous)
        response.writeHead(202, { ...headers, "dogwatch-approval": approval.id }).end(JSON.stringify(approval));
      else
        response
          .writeHead(403, { ...headers, "dogwatch-error": "approval_required" })
          .end(JSON.stringify({ errors: [`dogwatch: nobody answered yet: ${approval.url}`] }));
      return true;
    },
    answerPoll(url, { request, response }) {
      const token = /^Bearer (.*)$/.exec(request.headers.authorization ?? "")?.[1] ?? "";
      const { pathname, searchParams } = new URL(url, origin());
      desk.polls.push({ url, token });
      if (desk.breakPolls > 0) {
        desk.breakPolls -= 1;
        return void request.socket.destroy();
      }
      const { instead } = desk;
      if (instead) {
        const code = instead.code ? { "dogwatch-error": instead.code } : {};
        return void response.writeHead(instead.status, code).end(instead.body);
      }
      const approval = desk.asked.find(({ id }) => pathname === `/v1/approvals/${id}`);
      if (!tokens.includes(token)) return void response.writeHead(401, { "dogwatch-error": "token_invalid" }).end("{}");
      if (!approval)
        return void response.writeHead(404, { "dogwatch-error": "not_found" }).end('{"errors":["no such approval"]}');
      const show = () => {
        waking.delete(show);
        clearTimeout(timer);
        if (!response.writableEnded)
          response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(approval));
      };
      const wait = Number(searchParams.get("wait") ?? 0) * 1_000;
      const timer = setTimeout(show, wait).unref();
      if (approval.state !== "pending") show();
      else waking.add(show);
    },
  };
  return desk;
};

/** A question as the gateway shows it, about the deletion of a monitor. */
export const approvalJson = (origin: string, more: Partial<ApprovalJson> = {}): ApprovalJson => {
  const id = randomUUID();
  const session_id = randomUUID();
  const now = Date.now();
  return {
    id,
    state: "pending",
    code: "K7Q2MX",
    session_id,
    call_id: `${session_id}/1`,
    operation: "v1.MonitorsApi.DeleteMonitor",
    who: "acme/app",
    title: "Delete monitor 4212 “Checkout latency p99”",
    rule: "writes-need-a-human",
    digest: "0".repeat(64),
    asked_at: new Date(now).toISOString(),
    expires_at: new Date(now + 30 * 60_000).toISOString(),
    decided_at: null,
    reason: "",
    consumed_by: null,
    where: [{ kind: "page", url: `${origin}/approvals/${id}` }],
    answers: [],
    url: `${origin}/approvals/${id}`,
    ...more,
  };
};
