/** Decides recorded calls once more with another policy, and keeps what changes: memory grows with what is said, not with what is read. */

import type { RecordedBodyPlace, RecordedCall } from "../../store/replayCalls.ts";
import type { Allowance } from "../../stages/decide/limit.ts";
import { Allowances } from "./allowances.ts";
import { identityOf } from "./callerLabel.ts";
import type { BodyBytes, Outcome, Trial } from "./trial.ts";

/** A call whose decision changes. */
export type Change = {
  readonly call: RecordedCall;
  readonly before: Outcome["effect"];
  readonly after: Outcome;
};

/** Changes of one kind: one operation, one caller on one connection, one effect before, one after, each by the same rules. */
export type ChangeGroup = {
  readonly operation: string;
  readonly access: string;
  readonly caller: string;
  readonly connection: string;
  readonly before: Outcome["effect"];
  readonly after: Outcome["effect"];
  /** Whose effect it was. */
  readonly rules_before: readonly string[];
  readonly rules: readonly string[];
  /** Of the first of them. */
  readonly reason: string;
  readonly count: number;
  /** The first few. */
  readonly examples: readonly CallName[];
};

/** How many calls a rule decided, alone or with others of the same effect. */
export type RuleCount = { readonly name: string; readonly before: number; readonly after: number };

export type CallName = { readonly session_id: string; readonly n: number };

export type BacktestReport = {
  /** Calls that were read. */
  readonly calls: number;
  readonly changed: number;
  /** Calls that no policy ever decided: they were malformed, or broke off before. */
  readonly undecided: number;
  /** Calls that cannot be decided again, because a rule reads a body that was not recorded whole. */
  readonly unsettled: { readonly count: number; readonly examples: readonly CallName[] };
  /** The largest first; complete unless there are more kinds of change than anybody would read. */
  readonly groups: readonly ChangeGroup[];
  /** Changed calls that are in no group. */
  readonly ungrouped: number;
  /** By name: rules that decided then, or would decide now. */
  readonly rules: readonly RuleCount[];
};

export type Recordings = {
  readonly pages: AsyncIterable<readonly RecordedCall[]>;
  bodies(places: readonly RecordedBodyPlace[]): Promise<ReadonlyMap<RecordedBodyPlace, Buffer>>;
  /** `limits.inspect`, bytes: what the gateway would not read for a rule is not read here. */
  readonly inspect: number;
};

const mostGroups = 5_000;
const mostExamples = 3;
/** Bodies that are in memory at once, bytes. */
const bodiesAtOnce = 16 * 1024 * 1024;

/** `onChange` hears of every changed call, in the order in which they are read. */
export async function backtest(
  trial: Trial,
  recordings: Recordings,
  onChange: (change: Change) => void = () => undefined,
): Promise<BacktestReport> {
  const run = { trial, recordings, tally: new Tally(onChange), allowances: new Allowances() };
  for await (const page of recordings.pages) {
    const waiting: RecordedCall[] = [];
    for (const call of page) {
      // What one call uses up another does not get, so with limits no call overtakes one that waits for its body.
      if (trial.counts && waiting.length > 0) waiting.push(call);
      else if (!decideAtOnce(run, call)) waiting.push(call);
    }
    for (const some of portions(waiting)) await decideWithBodies(run, some);
    run.tally.calls += page.length;
  }
  return run.tally.report();
}

type Run = {
  readonly trial: Trial;
  readonly recordings: Recordings;
  readonly tally: Tally;
  readonly allowances: Allowances;
};

/** False when a rule has to read the body first. */
function decideAtOnce({ trial, tally, allowances }: Run, call: RecordedCall): boolean {
  const before = effectBefore(call);
  if (before === null) {
    tally.undecided++;
    return true;
  }
  const outcome = trial.decide(asTrial(call), (allowance) => allowances.draw(allowance, call));
  if ("needs" in outcome) return false;
  tally.compare({ call, before, after: outcome });
  return true;
}

async function decideWithBodies(run: Run, some: readonly RecordedCall[]): Promise<void> {
  const { trial, recordings, tally, allowances } = run;
  const readable = some.flatMap(({ body }) => (body?.kept === true && body.size <= recordings.inspect ? [body] : []));
  const bodies = await recordings.bodies(readable);
  for (const call of some) {
    if (decideAtOnce(run, call)) continue;
    const before = effectBefore(call);
    const bytes = bytesOf(call, { bodies, inspect: recordings.inspect });
    if (bytes !== null && "missing" in bytes) tally.unsettle(call);
    else if (before !== null) {
      const draw = (allowance: Allowance): boolean => allowances.draw(allowance, call);
      tally.compare({ call, before, after: await trial.decideWithBody(asTrial(call), bytes, draw) });
    }
  }
}

/** A body that is too large for the gateway is stood for by one that is just as much too large. */
const bytesOf = (
  { body, headers }: RecordedCall,
  read: { readonly bodies: ReadonlyMap<RecordedBodyPlace, Buffer>; readonly inspect: number },
): BodyBytes => {
  if (body === null) return announcesBody(headers) ? { missing: "it was not recorded" } : null;
  if (body.size > read.inspect) return Buffer.allocUnsafe(read.inspect + 1);
  return read.bodies.get(body) ?? { missing: "it was not recorded whole" };
};

/** Of a call that broke off while its body streamed there may be no body in the recording. */
const announcesBody = (headers: RecordedCall["headers"]): boolean =>
  headers.some(
    ([name, value]) =>
      name.toLowerCase() === "transfer-encoding" || (name.toLowerCase() === "content-length" && value !== "0"),
  );

/** As many calls as have their bodies in memory at once. */
function* portions(calls: readonly RecordedCall[]): Generator<readonly RecordedCall[]> {
  let portion: RecordedCall[] = [];
  let bytes = 0;
  for (const call of calls) {
    portion.push(call);
    bytes += call.body?.size ?? 0;
    if (bytes < bodiesAtOnce) continue;
    yield portion;
    portion = [];
    bytes = 0;
  }
  if (portion.length > 0) yield portion;
}

const asTrial = (call: RecordedCall) => ({
  caller: call.session.caller,
  connection: call.session.connection,
  host: call.host,
  method: call.method,
  path: call.path,
  query: call.query,
  headers: call.headers,
  at: call.received_at,
});

/** What was decided then; null where no policy had a say. */
const effectBefore = ({ effect, rules, error_code }: RecordedCall): Outcome["effect"] | null => {
  if (effect !== "deny" || rules.length > 0) return effect;
  switch (error_code) {
    case "request_malformed":
    case "gateway_busy":
    case "recording_unavailable":
      return null;
    case "host_not_allowed":
    case "body_too_large":
      return "refuse";
    default:
      return effect;
  }
};

/** Names of the rules whose effect it was; of all that matched when it was only observed. */
const winnersBefore = ({ effect, rules }: RecordedCall): readonly string[] =>
  rules.flatMap((rule) => (effect === "observe" || rule.effect === effect ? [rule.name] : []));

class Tally {
  calls = 0;
  undecided = 0;
  #changed = 0;
  #ungrouped = 0;
  #unsettled = 0;
  readonly #unsettledExamples: CallName[] = [];
  readonly #rules = new Map<string, { before: number; after: number }>();
  readonly #groups = new Map<string, { first: Change; count: number; examples: CallName[] }>();
  readonly #onChange: (change: Change) => void;

  constructor(onChange: (change: Change) => void) {
    this.#onChange = onChange;
  }

  compare(change: Change): void {
    for (const name of winnersBefore(change.call)) this.#counted(name).before++;
    for (const name of change.after.rules) this.#counted(name).after++;
    if (fateOf(change.before) === fateOf(change.after.effect)) return;
    this.#changed++;
    this.#onChange(change);
    const key = keyOf(change);
    const group = this.#groups.get(key);
    if (group !== undefined) {
      group.count++;
      if (group.examples.length < mostExamples) group.examples.push(nameOf(change.call));
    } else if (this.#groups.size < mostGroups)
      this.#groups.set(key, { first: change, count: 1, examples: [nameOf(change.call)] });
    else this.#ungrouped++;
  }

  unsettle(call: RecordedCall): void {
    this.#unsettled++;
    if (this.#unsettledExamples.length < mostExamples) this.#unsettledExamples.push(nameOf(call));
  }

  report(): BacktestReport {
    return {
      calls: this.calls,
      changed: this.#changed,
      undecided: this.undecided,
      unsettled: { count: this.#unsettled, examples: this.#unsettledExamples },
      groups: [...this.#groups.values()].map(groupOf).toSorted((a, b) => b.count - a.count),
      ungrouped: this.#ungrouped,
      rules: [...this.#rules]
        .map(([name, counts]) => ({ name, ...counts }))
        .toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    };
  }

  #counted(name: string): { before: number; after: number } {
    const known = this.#rules.get(name) ?? { before: 0, after: 0 };
    this.#rules.set(name, known);
    return known;
  }
}

/** Whether the policy denies it or the gateway does not even ask: the call does not pass. */
const fateOf = (effect: Outcome["effect"]): Outcome["effect"] => (effect === "refuse" ? "deny" : effect);

const keyOf = ({ call, before, after }: Change): string =>
  JSON.stringify([
    call.operation,
    identityOf(call.session.caller).claims,
    call.session.connection,
    before,
    winnersBefore(call),
    after.effect,
    after.rules,
  ]);

const groupOf = ({
  first: { call, before, after },
  ...counted
}: {
  readonly first: Change;
  readonly count: number;
  readonly examples: readonly CallName[];
}): ChangeGroup => ({
  operation: after.operation?.id ?? call.operation,
  access: after.operation?.access ?? call.access,
  caller: identityOf(call.session.caller).label,
  connection: call.session.connection,
  before,
  after: after.effect,
  rules_before: winnersBefore(call),
  rules: after.rules,
  reason: after.reason,
  ...counted,
});

const nameOf = ({ session, n }: RecordedCall): CallName => ({ session_id: session.id, n });
