/** A button of a check run that was pressed: who did is GitHub's word, no token can press one. */

import { v4 as uuidv4 } from "uuid";
import { z } from "zod";
import type { Approval } from "../../../model/approval.ts";
import type { ButtonPress } from "../../../model/github.ts";
import { readButton } from "../../../stages/escalate/check.ts";
import { weigh } from "../../../stages/escalate/weigh.ts";
import { isLive, withCode } from "../seek.ts";
import { refOf } from "../show/presenting.ts";
import { isThread, longBefore } from "../show/thread.ts";
import { byOne, type HearParts, type Outcome, type Proof } from "./parts.ts";
import { type ReplyTo, take } from "./take.ts";

export async function hearButton(parts: HearParts, press: ButtonPress, proof: Proof): Promise<Outcome> {
  const button = readButton(press.identifier);
  if (button === null) return "ignored";
  const { repository, check_run_id, identifier, sender_id } = press;
  const name = `check:${check_run_id}:${identifier}:${sender_id}`;
  if (await parts.store.isHeard(name)) return "done";
  const { repository_id } = repository;
  const id =
    (await parts.store.at({ repository_id, kind: "check_run", id: check_run_id }))?.id ??
    idIn(press) ??
    (await withCode(parts.store, { repository, code: button.code }))?.id;
  if (id === undefined) return "ignored";
  return byOne(parts, name, () => takeButton(parts, { id, press, button, name, proof }));
}

const idIn = ({ external_id }: ButtonPress): string | undefined => z.uuid().safeParse(external_id).data;

type Pressed = {
  readonly id: string;
  readonly press: ButtonPress;
  readonly button: NonNullable<ReturnType<typeof readButton>>;
  readonly name: string;
  readonly proof: Proof;
};

async function takeButton(parts: HearParts, { id, press, button, name, proof }: Pressed): Promise<Outcome> {
  const { store, directory, now } = parts;
  const approval = await store.get(id);
  if (approval === null || approval.run === null) return "ignored";
  // Where it stands is not known yet: GitHub's delivery about its creation tells.
  if (
    isLive(approval) &&
    !approval.where.some(({ kind }) => kind === "check_run") &&
    (await store.hasBegun(id, "check_run"))
  )
    return "later";
  const { verdict } = button;
  const [standing, run] = await Promise.all([
    directory.standingOf(approval.run, press.sender, approval.terms.approvers.teams),
    directory.runNow(approval.run),
  ]);
  const weighed = weigh(
    approval,
    { ...button, grant: null },
    {
      way: "check",
      now: now(),
      proof,
      repository_id: press.repository.repository_id,
      standing,
      run,
      check_run_id: press.check_run_id,
      head_sha: press.head_sha,
      sender_id: press.sender_id,
    },
  );
  // A second press of the same button looks like the first one told again: it must count when the first could not.
  const unasked = !weighed.accepted && (standing === null || run === null);
  await take(parts, {
    approval,
    key: unasked ? `${name}:${uuidv4()}` : name,
    answer: { verdict, by: `github:${standing?.login ?? press.sender}`, via: "check", ...weighed, grant: null },
    isPerson: standing === null || standing.type === "User",
    reply: replyIn(approval),
  });
  return "done";
}

/** A button leaves nothing to reply to but the question. */
function replyIn({ where, run, asked_at }: Approval): ReplyTo | null {
  const thread = where.find(isThread);
  return thread === undefined || run === null ? null : { of: refOf(run), thread, since: longBefore(asked_at) };
}
