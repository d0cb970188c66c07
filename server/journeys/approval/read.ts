/** Reading approvals: a session its own, holders of access tokens all, people those of repositories that GitHub lets them read; and waiting for one to be decided. */

import { type ApiRefusal, isApiRefusal, refuseApi } from "../../errors.ts";
import type { Approval, ApprovalState } from "../../model/approval.ts";
import type { AuditEvent } from "../../model/audit.ts";
import type { RepositoryRef } from "../../model/github.ts";
import type { Person } from "../../model/person.ts";
import type { SeenApprovals } from "../../store/approvals.ts";
import type { Standings } from "../../store/approvalStandings.ts";
import { isSeer, type Page, type PageRequest, type Reader, readerName } from "../history.ts";
import type { RepositoryAccess } from "../repositoryAccess.ts";
import type { ApprovalStore } from "./parts.ts";

export type ReadParts = {
  readonly store: Pick<ApprovalStore, "get" | "list"> &
    Standings & {
      /** Those that wait for an answer, of all or only of these. */
      countPending(seen?: SeenApprovals): Promise<number>;
    };
  readonly repositories: RepositoryAccess;
  /** `<issuer> <repository id>` of all repositories with sessions that GitHub let them read within the last minute. */
  scope(person: Person): Promise<readonly string[]>;
  /** As it is when it is decided, or after `ms`. */
  watch(id: string, ms: number, signal: AbortSignal): Promise<Approval | null>;
  /** Resolves when it is durable: nobody is shown a question before it is written down that they looked. */
  auditFirst(event: AuditEvent): Promise<void>;
};

export type ApprovalsRequest = PageRequest & { readonly state?: ApprovalState | undefined };

export async function listApprovals(
  parts: ReadParts,
  reader: Reader,
  page: ApprovalsRequest,
): Promise<Page<Approval> | ApiRefusal> {
  const { store } = parts;
  if (reader.kind === "session") return store.list({ ...page, session_id: reader.grant.session_id });
  const refusal = reader.kind === "access" ? mayRead(reader) : null;
  if (refusal !== null) return refusal;
  const found =
    reader.kind === "person" && !isSeer(reader.person.role)
      ? await listReadable(parts, reader.person, page)
      : await store.list(page);
  if (!isApiRefusal(found))
    await viewed(parts, reader, { what: "approvals", reason: `${found.items.length} approvals` });
  return found;
}

/** Whether somebody who does not see everything sees this question: GitHub lets them read its repository, or the rule asks their group. */
export const concerns = (
  person: Person,
  { run, binding, terms }: Pick<Approval, "run" | "binding" | "terms">,
  reads: (of: RepositoryRef) => boolean | Promise<boolean>,
): boolean | Promise<boolean> => {
  if (person.provider === "github") return run !== null && reads(run);
  // Of a GitHub job its repository says who may look, and nobody but GitHub knows.
  if (run !== null || binding.repository_id !== null) return false;
  return person.role !== "viewer" && terms.approvers.groups.some((group) => person.groups.includes(group));
};

/** Repositories that GitHub is asked about at the same time. */
const abreast = 8;

/** Others than theirs are nowhere counted: no cursor names one, and no page is cut by one. Who lost access a moment ago is shown nothing of it. */
async function listReadable(
  { store, repositories, scope }: ReadParts,
  person: Person,
  page: ApprovalsRequest,
): Promise<Page<Approval> | ApiRefusal> {
  const seen = await seenBy(scope, person);
  if (seen === null) return { items: [], next_cursor: null };
  const found = await store.list({ ...page, seen });
  if (isApiRefusal(found)) return found;
  const known = new Map<string, boolean>();
  if (person.provider === "github")
    await lookUp(
      known,
      found.items.map(({ run }) => run),
      (of) => repositories.mayRead(person, of),
    );
  const isKnown = ({ repository_id }: RepositoryRef): boolean => known.get(repository_id) === true;
  return { ...found, items: found.items.filter((approval) => concerns(person, approval, isKnown) === true) };
}

/** Null: none at all. What `concerns` says of one question, for a list of them. */
async function seenBy(scope: ReadParts["scope"], person: Person): Promise<SeenApprovals | null> {
  if (person.provider !== "github")
    return person.role === "viewer" || person.groups.length === 0 ? null : { kind: "groups", groups: person.groups };
  const repositories = (await scope(person)).map((repository) => repository.split(" ").at(-1) ?? "");
  return repositories.length === 0 ? null : { kind: "repositories", repositories };
}

/** Asks about each repository once. */
async function lookUp(
  known: Map<string, boolean>,
  repositories: readonly (RepositoryRef | null)[],
  ask: (of: RepositoryRef) => Promise<boolean>,
): Promise<void> {
  const wanted = new Map(repositories.flatMap((of) => (of === null ? [] : [[of.repository_id, of] as const])));
  const unknown = [...wanted.values()].filter(({ repository_id }) => !known.has(repository_id));
  for (let i = 0; i < unknown.length; i += abreast)
    await Promise.all(
      unknown.slice(i, i + abreast).map(async (of) => {
        known.set(of.repository_id, await ask(of));
      }),
    );
}

export type Awaited = { readonly id: string; readonly ms: number; readonly signal: AbortSignal };

export async function awaitApproval(
  parts: ReadParts,
  reader: Reader,
  awaited: Awaited,
): Promise<Approval | ApiRefusal> {
  const { id, ms, signal } = awaited;
  const now = await readApproval(parts, reader, id);
  return isApiRefusal(now) || ms === 0 ? now : ((await parts.watch(id, ms, signal)) ?? now);
}

/** Whose it is is looked at before anything is shown: that there is one is not told either. */
export async function readApproval(parts: ReadParts, reader: Reader, id: string): Promise<Approval | ApiRefusal> {
  const refusal = reader.kind === "access" ? mayRead(reader) : null;
  if (refusal !== null) return refusal;
  const found = await parts.store.get(id);
  if (found === null || !(await isFor(parts, reader, found))) return noApproval(id);
  if (reader.kind !== "session") await viewed(parts, reader, { what: `approval ${id}`, reason: "asked for it" });
  return found;
}

const isFor = async ({ repositories }: ReadParts, reader: Reader, approval: Approval): Promise<boolean> => {
  switch (reader.kind) {
    case "session":
      return reader.grant.session_id === approval.session_id;
    case "access":
      return true;
    case "person":
      if (isSeer(reader.person.role)) return true;
      return concerns(reader.person, approval, (of) => repositories.mayRead(reader.person, of));
    default:
      return reader satisfies never;
  }
};

/** The same for what is not there and for what somebody may not know of. */
export const noApproval = (id: string): ApiRefusal => refuseApi("not_found", `there is no approval ${id}`);

/** How many wait for an answer, of those that the reader may see; null for who sees none. */
export async function countPending({ store, scope }: ReadParts, reader: Reader): Promise<number | null> {
  if (reader.kind === "session" || (reader.kind === "access" && mayRead(reader) !== null)) return null;
  if (reader.kind === "access" || isSeer(reader.person.role)) return store.countPending();
  const seen = await seenBy(scope, reader.person);
  return seen === null ? null : store.countPending(seen);
}

/** Viewers and approvers see the repositories that GitHub lets them see, which a token cannot tell. */
const mayRead = (reader: Extract<Reader, { kind: "access" }>): ApiRefusal | null =>
  isSeer(reader.role)
    ? null
    : refuseApi("forbidden", `the role ${reader.role} does not read all approvals; auditor and admin do`);

const viewed = (
  { auditFirst }: ReadParts,
  reader: Reader,
  { what, reason }: Pick<AuditEvent, "what" | "reason">,
): Promise<void> => auditFirst({ kind: "recording_viewed", who: readerName(reader), what, reason });
