/** One approval as its page shows it: the question whole, as text that hides nothing, and what the reader may do about it. */

import { type ApiRefusal, isApiRefusal } from "../../errors.ts";
import type { Approval, ApprovalState, Question } from "../../model/approval.ts";
import type { Person } from "../../model/person.ts";
import type { StoredCall } from "../../model/receipt.ts";
import { type Section, sectionsIn } from "../../stages/escalate/sections.ts";
import { short, visible, visibleLines } from "../../stages/escalate/visible.ts";
import { lasting, utc } from "../../stages/escalate/when.ts";
import { type Words, wordsOfWho } from "../../stages/escalate/who.ts";
import { type Reader, seesEverything } from "../history.ts";
import { onceEach } from "../repositoryAccess.ts";
import { type AnswerParts, objectionTo } from "./answer.ts";
import { concerns, listApprovals, readApproval, type ReadParts } from "./read.ts";

export type PageParts = ReadParts &
  AnswerParts & {
    readonly receipts: { call(session_id: string, n: number): Promise<StoredCall | null> };
  };

/** Whoever looks: by an access token, as themselves, or both. */
export type Viewer = { readonly reader: Reader; readonly person: Person | null };

/** What the viewer may do about a question that waits. */
export type Answering =
  /** It is decided, or over. */
  | { readonly kind: "over" }
  /** A token does not answer; nobody is signed in as themselves. */
  | { readonly kind: "nobody" }
  | { readonly kind: "may"; readonly as: string }
  | { readonly kind: "may not"; readonly as: string; readonly why: string };

/** With lines in which nothing is hidden, the first of them; `more`: how many follow. */
export type ShownSection = Section & { readonly more: number };

export type Shown = {
  readonly approval: Approval;
  readonly sections: readonly ShownSection[];
  readonly who: readonly { readonly name: string; readonly value: string }[];
  readonly request: string;
  readonly mayAnswer: Words;
  /** What a reader would look for and not find. */
  readonly notes: readonly string[];
  readonly until: string;
  /** `12 minutes`; null when it is over. */
  readonly left: string | null;
  readonly answering: Answering;
  /** Whether the reader is shown recordings: a link that leads to a refusal is none. */
  readonly recordings: "shown" | "not shown";
  /** What became of the call that it let pass; null while there is none. */
  readonly outcome: Pick<StoredCall, "session_id" | "n" | "state" | "status"> | null;
};

/** `lines`: how many of each section, so that megabytes are shown to those only who ask for them. */
export async function showApproval(
  parts: PageParts,
  viewer: Viewer,
  { id, lines }: { readonly id: string; readonly lines: number },
): Promise<Shown | ApiRefusal> {
  const approval = await readApproval(parts, viewer.reader, id);
  if (isApiRefusal(approval)) return approval;
  const { question, consumed_by } = approval;
  const { method, host, path, query } = question;
  const [answering, outcome] = await Promise.all([
    answeringOf(parts, viewer.person, approval),
    consumed_by === null ? null : parts.receipts.call(consumed_by.session_id, consumed_by.n),
  ]);
  return {
    approval,
    sections: sectionsIn(question).map((section) => shownSection(section, lines)),
    who: whoAsks(question),
    request: visible(`${method} https://${host}${path}${query === "" ? "" : `?${query}`}`),
    mayAnswer: wordsOfWho(approval),
    notes: notesOf(question),
    until: utc(approval.expires_at),
    left: leftOf(approval, parts.now()),
    answering,
    // Whom GitHub shows the question it shows the recording; groups of other providers open questions only.
    recordings: showsRecordings(viewer.reader) ? "shown" : "not shown",
    outcome,
  };
}

const showsRecordings = (reader: Reader): boolean =>
  seesEverything(reader) === null || (reader.kind === "person" && reader.person.provider === "github");

async function answeringOf(parts: AnswerParts, person: Person | null, approval: Approval): Promise<Answering> {
  if (approval.state !== "pending") return { kind: "over" };
  if (person === null) return { kind: "nobody" };
  const why = await objectionTo(parts, person, approval);
  return why === null ? { kind: "may", as: person.name } : { kind: "may not", as: person.name, why };
}

/** For what a page asks again and again by itself while somebody reads. */
export type Standing = Pick<Shown, "approval" | "until" | "left">;

export async function watchApproval(
  parts: Pick<PageParts, "store" | "repositories" | "now">,
  { reader, person }: Viewer,
  id: string,
): Promise<Standing | null> {
  const approval = await parts.store.get(id);
  if (approval === null) return null;
  const may =
    seesEverything(reader) === null ||
    (person !== null && (await concerns(person, approval, (of) => parts.repositories.mayReadLately(person, of))));
  return may ? { approval, until: utc(approval.expires_at), left: leftOf(approval, parts.now()) } : null;
}

/** Those that wait, and the latest others, or those in one state; a cursor goes on with the others. */
export type Overview = {
  /** Null: all. */
  readonly state: ApprovalState | null;
  readonly pending: readonly Approval[];
  readonly others: readonly Approval[];
  readonly next_cursor: string | null;
  readonly now: Date;
};

export async function listForPage(
  { now, ...reading }: ReadParts & { now(): Date },
  reader: Reader,
  { cursor, state }: { readonly cursor?: string | undefined; readonly state?: ApprovalState | undefined },
): Promise<Overview | ApiRefusal> {
  const parts = { ...reading, repositories: onceEach(reading.repositories) };
  const waits = state === undefined || state === "pending";
  const pending = waits ? await listApprovals(parts, reader, { limit: 200, state: "pending" }) : none;
  if (isApiRefusal(pending)) return pending;
  const latest = state === "pending" ? none : await listApprovals(parts, reader, { limit: 50, cursor, state });
  if (isApiRefusal(latest)) return latest;
  return {
    state: state ?? null,
    pending: pending.items,
    others: latest.items.filter((approval) => approval.state !== "pending"),
    next_cursor: latest.next_cursor,
    now: now(),
  };
}

const none = { items: [], next_cursor: null } as const;

const leftOf = ({ state, expires_at }: Approval, now: Date): string | null =>
  state === "pending" || state === "approved" ? lasting(expires_at.getTime() - now.getTime()) : null;

const shownSection = (section: Section, most: number): ShownSection => ({
  ...section,
  lines: section.lines.slice(0, most).map(visibleLines),
  more: Math.max(0, section.lines.length - most),
  unnamed: section.unnamed.map((field) => short(field, 200)),
});

const names = {
  repository: "Repository",
  workflow: "Workflow",
  job: "Job",
  ref: "Branch",
  actor: "Started by",
  run_url: "Run",
  subject: "Caller",
  issuer: "Known to",
  undo_of: "Undoes session",
} as const;

const whoAsks = ({ who }: Question): Shown["who"] =>
  Object.entries(names).flatMap(([key, name]) => {
    const value = who[key];
    return value === undefined ? [] : [{ name, value: visible(value) }];
  });

function notesOf({ current, method, body, body_size }: Question): readonly string[] {
  return [
    ...(current.kind === "unavailable" && method !== "POST"
      ? [`Current state not available: ${visible(current.why)}.`]
      : []),
    ...(current.kind === "known" && current.text === "null"
      ? ["There is nothing at this path now: Datadog answered 404."]
      : []),
    ...(body === null && body_size > 0 ? [`The body is no text: ${body_size} bytes, bound by their SHA-256.`] : []),
  ];
}
