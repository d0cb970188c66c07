/** The words in which replays and undoing are told: on pages that the server writes, and on those that scripts draw. */

import type { ReplayedCallJson, ReplayJson, SessionJson, UndoJson, UndoStepJson } from "../contract.ts";

/** Each has a word, a sign and a colour, and none needs the colour. `badge`: which colour. */
type Mark = { readonly word: string; readonly sign: string; readonly badge: string };

export const outcomeMarks = {
  same: { word: "same", sign: "=", badge: "allow" },
  different: { word: "different", sign: "≠", badge: "approve" },
  failed: { word: "failed", sign: "✕", badge: "deny" },
  skipped: { word: "skipped", sign: "–", badge: "" },
  planned: { word: "would be sent", sign: "→", badge: "open" },
} as const satisfies Record<ReplayedCallJson["outcome"], Mark>;

export const outcomeNames = ["same", "different", "failed", "skipped", "planned"] as const;

const replayStateWords = {
  running: "It is running",
  done: "It is over",
  stopped: "It was stopped",
  interrupted: "It was broken off",
  failed: "It could not go on",
} as const satisfies Record<ReplayJson["state"], string>;

/** `label`: the state; `said`: what came of it, in one sentence. `box`: the colour of the box around it. */
export type Verdict = { readonly label: string; readonly said: string; readonly box: string };

export function replayVerdict(replay: ReplayJson): Verdict {
  const { state, reason, dry_run, calls, different, failed, skipped } = replay;
  const label = `${replayStateWords[state]}${state === "interrupted" ? ": its gateway ended, and nobody goes on with it" : ""}${reason === "" ? "" : `: ${reason}`}.`;
  const seen = turnsOf(replay);
  if (state === "running") return { label, said: `${seen} of ${counted(calls, "call")} so far.`, box: "pending" };
  const part = seen < calls ? ` ${counted(calls - seen, "call")} had no turn.` : "";
  if (dry_run) return { label, said: `This was a dry run: nothing was sent.${part}`, box: "" };
  const unsent = skipped === 0 ? "" : ` ${counted(skipped, "call")} ${skipped === 1 ? "was" : "were"} not sent.`;
  if (different + failed === 0 && state === "done" && part === "")
    return skipped === 0
      ? { label, said: "Every answer was the recorded one.", box: "approved" }
      : { label, said: `Every answer that came was the recorded one.${unsent}`, box: "" };
  const found = [
    ...(different > 0 ? [`${counted(different, "answer")} ${different === 1 ? "differs" : "differ"}`] : []),
    ...(failed > 0 ? [`${counted(failed, "call")} failed`] : []),
  ];
  const said = found.length === 0 ? "No answer that came differs" : found.join(", ");
  return { label, said: `${said}.${unsent}${part}`, box: failed > 0 ? "denied" : different > 0 ? "pending" : "" };
}

/** How many calls have had their turn. */
export const turnsOf = ({ same, different, failed, skipped, planned }: ReplayJson): number =>
  same + different + failed + skipped + planned;

export function cleanUpSentence({ state, deleted, missing, failed }: NonNullable<ReplayJson["cleanup"]>): string {
  const numbers = `${deleted} deleted, ${missing} gone already, ${failed} could not be deleted`;
  switch (state) {
    case "running":
      return `Cleaning up: ${numbers} so far.`;
    case "done":
      return failed === 0 ? `Cleaned up: ${numbers}.` : `Not all of it is cleaned up: ${numbers}.`;
    case "interrupted":
      return `Cleaning up was broken off: ${numbers}. It can be asked for again.`;
    default:
      return state satisfies never;
  }
}

export const optionWords = ({ dry_run, pace, stop_on_difference, masked }: ReplayJson): string =>
  [
    dry_run ? "dry run" : null,
    pace === "recorded" ? "with the recorded pauses" : "as fast as it goes",
    stop_on_difference ? "stops at the first difference" : null,
    masked === "restore" ? "with the values that masks hide" : null,
  ]
    .filter((word) => word !== null)
    .join(", ");

/** Of what is not there, that is said; everything else is JSON already. */
export const valueOf = (value: string | null): string => value ?? "not there";

export const actionWords = {
  recreate: "Make it again",
  restore: "Restore it",
  put_back: "Put it back as it was",
  delete: "Delete it",
  nothing: "Nothing to do",
  look: "Look first: it is not undone",
  impossible: "Cannot be undone",
} as const satisfies Record<UndoStepJson["action"], string>;

export const stepMarks = {
  none: { word: "", sign: "", badge: "" },
  planned: { word: "not done yet", sign: "○", badge: "" },
  done: { word: "done", sign: "✓", badge: "allow" },
  waiting: { word: "waits for approval", sign: "‖", badge: "approve" },
  denied: { word: "denied", sign: "✕", badge: "deny" },
  failed: { word: "failed", sign: "✕", badge: "deny" },
  conflict: { word: "conflict: not as the session left it", sign: "!", badge: "deny" },
  blocked: { word: "waits for another step", sign: "…", badge: "approve" },
  todo: { word: "not yet: the time was over", sign: "○", badge: "approve" },
  unknown: { word: "being done, or broken off", sign: "?", badge: "approve" },
} as const satisfies Record<UndoStepJson["state"], Mark>;

/** `Monitor 4212 “Checkout latency”` */
export const resourceWords = ({ resource, operation }: UndoStepJson): string => {
  if (resource === null) return operation.slice(operation.lastIndexOf(".") + 1);
  const kind = resource.kind.replaceAll("_", " ");
  return `${kind.replace(/^./, (letter) => letter.toUpperCase())} ${resource.id}${resource.name === "" ? "" : ` “${resource.name}”`}`;
};

/** Of the call of a step. */
export const callWords = (state: UndoStepJson["state"]): string =>
  state === "done" ? "The call that did it" : state === "waiting" ? "The call that waits" : "The call that tried";

/** What a step is about, where it takes nothing back. */
export const aboutWords = ({ request }: UndoStepJson): string => (request === null ? "About" : "Takes back");

export function undoVerdict({ steps }: UndoJson): Verdict {
  const count = (...states: readonly UndoStepJson["state"][]): number =>
    steps.filter(({ state }) => states.includes(state)).length;
  const toDo = steps.filter(({ request }) => request !== null).length;
  const never = steps.filter(({ action }) => action === "impossible" || action === "look").length;
  const rest = never === 0 ? "" : ` ${counted(never, "write")} cannot be undone: see below why.`;
  if (steps.length === 0) return { label: "This session changed nothing.", said: "", box: "" };
  if (toDo === 0)
    return { label: "There is nothing to do.", said: rest.trim(), box: never === 0 ? "approved" : "denied" };
  const done = count("done");
  const label = `${done} of ${counted(toDo, "step")} done.`;
  const parts = [
    [count("waiting"), "waiting for approval"],
    [count("denied"), "denied"],
    [count("failed"), "failed"],
    [count("conflict"), "in conflict with what somebody did since"],
    [count("blocked", "todo", "unknown"), "not yet done"],
  ] as const;
  const told = parts.filter(([number]) => number > 0).map(([number, word]) => `${number} ${word}`);
  const said = `${told.length === 0 ? "" : `${told.join(", ")}.`}${rest}`.trim();
  if (count("denied", "failed", "conflict") > 0) return { label, said, box: "denied" };
  if (done === toDo) return { label, said, box: never === 0 ? "approved" : "" };
  return done === 0 && told.length === 0
    ? { label: "This is the plan. Nothing has been sent.", said: rest.trim(), box: "" }
    : { label, said, box: "pending" };
}

/** Those that would send something and are not done. */
export const leftOf = ({ steps }: UndoJson): number =>
  steps.filter(({ request, state }) => request !== null && state !== "done").length;

/** Whether it has been begun, so that asking means going on. */
export const isBegun = ({ steps }: UndoJson): boolean =>
  steps.some(({ state }) => state !== "none" && state !== "planned");

/** Of a session that somebody had the gateway open: which one it sends again, or takes back. No job's token says that it is one of these. */
export function errandOf({
  caller,
}: Pick<SessionJson, "caller">): { readonly word: string; readonly of: string } | null {
  if (caller.issuer !== "urn:dogwatch:people") return null;
  for (const [claim, word] of [
    ["replay_of", "Replay of"],
    ["undo_of", "Undoes"],
  ] as const) {
    const of = caller[claim];
    if (typeof of === "string" && /^[0-9a-f-]{36}$/.test(of)) return { word, of };
  }
  return null;
}

export const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? "" : "s"}`;
