/** Deletes what a replay created, the last thing first: what that was is in its own recording, whatever became of the gateway. */

import { type Catalogue, type CatalogueEntry } from "../../datadog/catalogue.ts";
import { keyedPathParameters } from "../../datadog/credentials.ts";
import { type JsonNode, readTree } from "../../model/jsonTree.ts";
import type { CleanUp } from "../../model/replay.ts";
import { maskPathText } from "../../stages/mask/beside.ts";
import { mayHoldToken } from "../../stages/mask/token/text.ts";
import type { Replays } from "../../store/replays.ts";
import type { Run, RunParts } from "./run.ts";
import { known, type Known, type Planning } from "./plan.ts";
import { idPlace, scalarsOf, textOf } from "./places.ts";
import { comparable, recordedCalls, type RecordedCall } from "./recorded.ts";
import { sendCall, type Sending } from "./send.ts";
import { isSegment } from "./rewrite.ts";
import type { StandIns } from "./standIns.ts";
import { maskedAgain, maskingIn, unmask } from "./unmask.ts";

export type CleanUpParts = Omit<RunParts, "replays"> & { readonly replays: Pick<Replays, "noteCleanUp"> };
type Job = Omit<Run, "own" | "volatile"> & { readonly own: NonNullable<Run["own"]> };

const mostReasons = 20;
/** ms */
const noteEvery = 1_000;

/** Whatever happens, it is said how far it came. */
export async function cleanUp(parts: CleanUpParts, job: Job): Promise<void> {
  const tally = new Tally();
  const beat = setInterval(
    () => void parts.replays.noteCleanUp(job.replay.id, tally.so("running")).catch(() => undefined),
    noteEvery,
  );
  const end = await deleteAll(parts, job, tally).catch((error: unknown) => {
    tally.fail(error instanceof Error ? error.message : String(error));
    return "interrupted" as const;
  });
  clearInterval(beat);
  await parts.replays.noteCleanUp(job.replay.id, tally.so(end)).catch(() => undefined);
  await job.own.close().catch(() => undefined);
}

async function deleteAll(parts: CleanUpParts, job: Job, tally: Tally): Promise<"done" | "interrupted"> {
  const created = await createdBy(parts, job);
  for (const { sending, path } of created.toReversed()) {
    if (job.signal.aborted || !job.isSameSandbox()) return "interrupted";
    const what = `${"method" in sending ? sending.method : "DELETE"} ${path}`;
    if ("why" in sending) {
      tally.fail(`${what}: ${sending.why}`);
      continue;
    }
    const sent = await sendCall(parts.line(), await job.own.token(), sending);
    if (sent.kind === "unanswered") tally.fail(`${what}: ${sent.why}`);
    else if (sent.status < 300) tally.deleted++;
    else if (sent.status === 404 || sent.status === 410) tally.missing++;
    else tally.fail(`${what}: answered ${sent.status}`);
  }
  return "done";
}

/** `path`: as people may see it. */
type Created = { readonly sending: Sending | { readonly why: string }; readonly path: string };

/** What is there no more because the replay itself deleted it is left out. */
async function createdBy(parts: CleanUpParts, { replay, planning }: Job): Promise<readonly Created[]> {
  const deletes = deletesIn(planning.catalogue);
  const created = new Map<string, Created>();
  for await (const recorded of recordedCalls(parts, replay.own_session_id ?? "", Number.POSITIVE_INFINITY)) {
    const { call } = recorded;
    const about = known(planning, call);
    if (about === null || call.status === null || call.status >= 300) continue;
    if (call.method === "DELETE") created.delete(`${call.host}${call.path}`);
    if (call.method !== "POST") continue;
    const one = await creation({ planning, recorded, about, deletes });
    if (one !== null) created.set(`${call.host}${one.path}`, one);
  }
  return [...created.values()];
}

/** Of each path at which something is created, how what is created there is deleted. */
type Deletes = {
  /** By the path without the names of its parameters. */
  readonly items: ReadonlyMap<string, CatalogueEntry>;
  readonly same: ReadonlyMap<string, CatalogueEntry>;
};

function deletesIn({ entries }: Catalogue): Deletes {
  const all = entries.filter(({ method }) => method === "DELETE");
  return {
    items: new Map(
      all.flatMap((entry) => {
        const [, collection] = /^(.*)\/\{\w+\}$/.exec(entry.path) ?? [];
        return collection === undefined ? [] : [[plain(collection), entry] as const];
      }),
    ),
    same: new Map(all.map((entry) => [plain(entry.path), entry])),
  };
}

const plain = (path: string): string => path.replaceAll(/\{\w+\}/g, "{}");

const json = [
  ["Content-Type", "application/json"],
  ["Accept", "application/json"],
] as const;

type Creating = {
  readonly planning: Planning;
  readonly recorded: RecordedCall;
  readonly about: Known;
  readonly deletes: Deletes;
};

/** They change or add to what may have been there before: deleting at their path would take more away than they brought. */
const addsOnly = /\.(?:Update|Upsert|BulkWrite)\w*$|^v1\.TagsApi\.CreateHostTags$/;

async function creation(creating: Creating): Promise<Created | null> {
  const { recorded, about, deletes } = creating;
  const { call } = recorded;
  const { operation, subject } = about;
  if (operation.access === "read" || addsOnly.test(operation.id)) return null;
  const common = { host: call.host, query: "", headers: json };
  const item = deletes.items.get(plain(operation.path));
  if (item !== undefined || subject.own === "test_id") {
    const ids = await idsOf(creating, (answer) =>
      item === undefined ? ownId(answer, about) : idIn(answer, about, item),
    );
    if (ids === null) return null;
    if (subject.own === "test_id") return testDeletion(common, ids);
    const around = call.path.replace(/\/$/, "");
    const path = `${around}/${encodeURIComponent(ids.shown.toWellFormed())}`;
    const collection = await openedPath(creating, around);
    if (ids.real === null || collection === null || !isSegment(ids.real)) return { path, sending: { why: unnameable } };
    return {
      path,
      sending: { ...common, method: "DELETE", path: `${collection}/${encodeURIComponent(ids.real)}`, body: null },
    };
  }
  // A thing that is one with the path at which it was created: the tag configuration of a metric, the dashboards of a list.
  if (!deletes.same.has(plain(operation.path))) return null;
  const [path, body] = [await openedPath(creating, call.path), await openedBody(creating)];
  if (path === null || body === "hidden") return { path: call.path, sending: { why: unnameable } };
  return { path: call.path, sending: { ...common, method: "DELETE", path, body } };
}

const unnameable = "what names it is hidden by a mask, or is no part of an address";

/** `real`: null where a mask hides it and it cannot be put back. */
type CreatedId = { readonly shown: string; readonly real: string | null };

async function idsOf(
  { planning, recorded: { call, response }, about: { operation } }: Creating,
  find: (answer: JsonNode) => string | null,
): Promise<CreatedId | null> {
  if (response?.bytes == null) return null;
  const headers = call.response?.headers ?? [];
  const { tree, text } = await comparable(response.bytes, headers);
  const shown = tree === null ? null : find(tree);
  if (shown === null || text === null) return null;
  if (!mayHoldToken(shown)) return { shown, real: shown };
  const opening = openingOf(planning);
  const again = maskedAgain(maskingIn(opening, call, operation), "response", headers);
  const opened = await unmask(opening, { text, written: "json", again });
  const real = opened === null ? null : readTree(opened);
  return { shown, real: real === null ? null : find(real) };
}

/** It is the sandbox's own, and goes nowhere else. */
const openingOf = ({ standIns }: Planning): StandIns => ({ ...standIns, unmasking: "restore" });

function openedPath({ planning, recorded: { call }, about }: Creating, path: string): Promise<string | null> {
  const masking = maskingIn(openingOf(planning), call, about.operation);
  const again = (text: string): string => maskPathText(masking, text, []);
  return unmask(openingOf(planning), { text: path, written: "query", again });
}

/** Bytes. */
const largestKept = 64 * 1024;

async function openedBody({
  planning,
  recorded: { call, request },
  about,
}: Creating): Promise<Buffer | null | "hidden"> {
  if (request === null) return null;
  if (request.bytes === null) return "hidden";
  const { headers } = call.request;
  const { text } = await comparable(request.bytes, headers);
  if (text === null || text.length > largestKept) return "hidden";
  const again = maskedAgain(maskingIn(openingOf(planning), call, about.operation), "request", headers);
  const opened = await unmask(openingOf(planning), { text, written: "json", again });
  return opened === null ? "hidden" : Buffer.from(opened, "utf8");
}

/** Synthetic tests go in a list: https://docs.datadoghq.com/api/latest/synthetics/#delete-tests */
function testDeletion(common: Pick<Sending, "host" | "query" | "headers">, { shown, real }: CreatedId): Created {
  const path = `/api/v1/synthetics/tests/${encodeURIComponent(shown.toWellFormed())}`;
  if (real === null) return { path, sending: { why: unnameable } };
  const body = Buffer.from(JSON.stringify({ public_ids: [real] }));
  return { path, sending: { ...common, method: "POST", path: "/api/v1/synthetics/tests/delete", body } };
}

/** Of what was created, as its path names it: its id, or its name where things go by their names. */
function idIn(answer: JsonNode, about: Known, { id, path }: CatalogueEntry): string | null {
  const [, parameter = ""] = /\{(\w+)\}$/.exec(path) ?? [];
  const own = ownId(answer, about);
  if (own !== null) return own;
  const [, named] = /_(name|handle)$/.exec(parameter) ?? [];
  const wanted = named ?? keyedPathParameters.get(id);
  if (wanted === undefined) return null;
  for (const [node, { name, pattern }] of scalarsOf(answer))
    if (name === wanted && /^(?:\w+\.)?\w+$/.test(pattern)) return textOf(node);
  return null;
}

function ownId(answer: JsonNode, { subject }: Known): string | null {
  for (const [node, place] of scalarsOf(answer)) if (idPlace(subject, place)?.isOwn === true) return textOf(node);
  return null;
}

class Tally {
  deleted = 0;
  missing = 0;
  #failed = 0;
  readonly #reasons: string[] = [];

  fail(reason: string): void {
    this.#failed++;
    // PostgreSQL takes neither half letters nor NUL.
    if (this.#reasons.length < mostReasons)
      this.#reasons.push(reason.slice(0, 500).toWellFormed().replaceAll("\0", "\uFFFD"));
  }

  so(state: CleanUp["state"]): CleanUp {
    return { state, deleted: this.deleted, missing: this.missing, failed: this.#failed, reasons: this.#reasons };
  }
}
