/** Sends the requests of a plan through the data plane, in a session of whoever undoes, and reads what came of each: a look is a call like any other. */

import { z } from "zod";
import type { Kind } from "../../datadog/inverse.ts";
import type { CallNumber } from "../../model/receipt.ts";
import { callNumberOf, errorsIn, jsonIn, type LineAnswer, type OwnLine, reasonIn, textOf } from "../ownLine.ts";
import { isGone } from "./before.ts";
import { type Content, isUnknown, versionIn } from "./document.ts";
import type { Hidden } from "./hidden.ts";
import { clientOf } from "./progress.ts";
import type { UndoRequest } from "./requests.ts";

export type Sender = {
  readonly line: OwnLine;
  readonly hidden: Pick<Hidden, "shown">;
  token(): Promise<string>;
};

/** What is there now. */
export type Seen =
  | { readonly kind: "there"; readonly content: Content }
  | { readonly kind: "absent" }
  | { readonly kind: "not seen"; readonly ended: Ended };

/** How a request ended that did not do what it was sent for. */
export type Ended =
  | {
      readonly state: "waiting";
      readonly why: string;
      readonly approval: { readonly id: string; readonly url: string };
    }
  | { readonly state: "denied" | "failed"; readonly why: string };

export type Sent =
  | { readonly kind: "done"; readonly call: CallNumber | null; readonly text: string }
  | { readonly kind: "not done"; readonly call: CallNumber | null; readonly ended: Ended };

export async function look(
  sender: Sender,
  request: UndoRequest,
  { kind, id, key }: { readonly kind: Kind; readonly id: string; readonly key: string },
): Promise<Seen> {
  const answer = await send(sender, request, key);
  if (answer === null) return { kind: "not seen", ended: failed(brokenOff) };
  if (isOurs(answer)) return { kind: "not seen", ended: endedBy(answer, "to look at what is there is") };
  if (answer.status === 404) return { kind: "absent" };
  const text = textOf(answer);
  if (answer.status !== 200) return { kind: "not seen", ended: failed(`to look, ${datadogSaid(sender, answer)}`) };
  const version = versionIn(kind, text, { isErased: null });
  if (isUnknown(version)) return { kind: "not seen", ended: failed(`of what is there, ${version.why}`) };
  if (version.id !== id) return { kind: "not seen", ended: failed("Datadog shows another one there") };
  return isGone(kind, text) ? { kind: "absent" } : { kind: "there", content: version.content };
}

export async function act(sender: Sender, request: UndoRequest, key: string): Promise<Sent> {
  const answer = await send(sender, request, key);
  if (answer === null) return { kind: "not done", call: null, ended: failed(brokenOff) };
  const call = callNumberOf(answer);
  if (isOurs(answer)) return { kind: "not done", call, ended: endedBy(answer, `${request.operation} is`) };
  if (answer.status < 200 || answer.status > 299)
    return { kind: "not done", call, ended: failed(datadogSaid(sender, answer)) };
  return { kind: "done", call, text: textOf(answer) };
}

const brokenOff = "the gateway broke off: ask again, and it says what is known of it";

/** Null when there is no answer, as at the end of a gateway. */
async function send(
  { line, token }: Sender,
  { method, path, body }: UndoRequest,
  key: string,
): Promise<LineAnswer | null> {
  const bytes = body === null ? null : Buffer.from(body);
  const headers = [
    ["Authorization", `Bearer ${await token()}`],
    ["User-Agent", clientOf(key)],
    ["Accept", "application/json"],
    // Whoever is asked may take hours: nobody waits on a connection for that.
    ["Prefer", "respond-async"],
    ...(bytes === null
      ? []
      : [["Content-Type", "application/json"] as const, ["Content-Length", `${bytes.length}`] as const]),
  ] as const;
  return line({ method, target: path, headers, body: bytes }).catch(() => null);
}

/** The gateway's own answer, and not Datadog's, whose headers of these names are dropped. */
const isOurs = (answer: LineAnswer): boolean =>
  answer.header("dogwatch-error") !== null || answer.header("dogwatch-approval") !== null;

function endedBy(answer: LineAnswer, what: string): Ended {
  if (answer.header("dogwatch-approval") !== null) return waitingFor(answer);
  const says = reasonIn(answer);
  const why = says === "" ? `${what} refused (${answer.status})` : says;
  switch (answer.header("dogwatch-error")) {
    case "denied":
    case "operation_unknown":
    case "host_not_allowed":
    case "approval_denied":
      return { state: "denied", why };
    default:
      return failed(why);
  }
}

function waitingFor(answer: LineAnswer): Ended {
  const asked = question.safeParse(jsonIn(answer));
  if (!asked.success) return failed("people were asked, and the answer does not say where");
  const { id, url, title } = asked.data;
  return { state: "waiting", why: `people are asked: ${title}`, approval: { id, url } };
}

/** As much as is needed of an approval. */
const question = z.object({ id: z.uuid(), url: z.url(), title: z.string() });

const failed = (why: string): Ended => ({ state: "failed", why });

/** What Datadog complains of may quote what was sent, masked values too; its beginning tells enough. */
function datadogSaid({ hidden }: Pick<Sender, "hidden">, answer: LineAnswer): string {
  const says = hidden.shown(errorsIn(answer).join("; ").slice(0, longestRead)).slice(0, 300);
  return `Datadog answered ${answer.status}${says === "" ? "" : `: ${says}`}`;
}

const longestRead = 64 * 1024;
