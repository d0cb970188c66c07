/** Deletes what a replay created, the last thing first: what that was is in its own recording, whatever became of the gateway. */

import { type Catalogue, type CatalogueEntry } from "../../datadog/catalogue.ts";
import { keyedPathParameters } from "../../datadog/credentials.ts";
import type { JsonNode } from "../../model/jsonTree.ts";
import type { CleanUp } from "../../model/replay.ts";
import type { Replays } from "../../store/replays.ts";
import type { Run, RunParts } from "./run.ts";
import { known, type Known } from "./plan.ts";
import { idPlace, scalarsOf, textOf } from "./places.ts";
import { comparable, recordedCalls, type RecordedCall } from "./recorded.ts";
import { sendCall, type Sending } from "./send.ts";
import { withStandIns } from "./standIns.ts";

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
  for (const { sending, what } of created.toReversed()) {
    if (job.signal.aborted || !job.isSameSandbox()) return "interrupted";
    const sent = await sendCall(parts.line(), await job.own.token(), sending);
    if (sent.kind === "unanswered") tally.fail(`${what}: ${sent.why}`);
    else if (sent.status < 300) tally.deleted++;
    else if (sent.status === 404 || sent.status === 410) tally.missing++;
    else tally.fail(`${what}: answered ${sent.status}`);
  }
  return "done";
}

type Created = { readonly sending: Sending; readonly what: string };

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
    const one = await creation({ recorded, about, deletes });
    if (one === null) continue;
    const sending = { ...one, path: withStandIns(one.path, { ...planning.standIns, unmasking: "restore" }, "query") };
    created.set(`${one.host}${one.path}`, { sending, what: `${sending.method} ${one.path}` });
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

type Creating = { readonly recorded: RecordedCall; readonly about: Known; readonly deletes: Deletes };

async function creation({ recorded, about, deletes }: Creating): Promise<Sending | null> {
  const { call, request, response } = recorded;
  const { operation } = about;
  if (operation.access === "read") return null;
  const common = { host: call.host, query: "", headers: json };
  const answer = response?.bytes == null ? null : (await comparable(response.bytes, call.response?.headers ?? [])).tree;
  if (about.subject.own === "test_id") return testDeletion(common, answer, about);
  const item = deletes.items.get(plain(operation.path));
  const id = item === undefined || answer === null ? null : idIn(answer, about, item);
  if (id !== null)
    return { ...common, method: "DELETE", path: `${call.path.replace(/\/$/, "")}/${pathSegment(id)}`, body: null };
  // A thing that is one with the path at which it was created: the tag configuration of a metric, the dashboards of a list.
  if (!deletes.same.has(plain(operation.path))) return null;
  return { ...common, method: "DELETE", path: call.path, body: request?.bytes ?? null };
}

/** A secret that names a thing is a token of a mask here, which is opened when it is sent. */
const pathSegment = (id: string): string => (id.startsWith("dwm_") ? id : encodeURIComponent(id));

/** Synthetic tests go in a list: https://docs.datadoghq.com/api/latest/synthetics/#delete-tests */
function testDeletion(
  common: Pick<Sending, "host" | "query" | "headers">,
  answer: JsonNode | null,
  about: Known,
): Sending | null {
  const id = answer === null ? null : ownId(answer, about);
  if (id === null) return null;
  const body = Buffer.from(JSON.stringify({ public_ids: [id] }));
  return { ...common, method: "POST", path: "/api/v1/synthetics/tests/delete", body };
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
    if (this.#reasons.length < mostReasons) this.#reasons.push(reason.slice(0, 500));
  }

  so(state: CleanUp["state"]): CleanUp {
    return { state, deleted: this.deleted, missing: this.missing, failed: this.#failed, reasons: this.#reasons };
  }
}
