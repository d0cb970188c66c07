/** Sends the requests of a plan through the data plane, in a session of whoever undoes, and reads what came of each: a look is a call like any other. */

import { z } from "zod";
import type { Kind } from "../../datadog/inverse.ts";
import type { CallNumber, HeaderList } from "../../model/receipt.ts";
import { isGone } from "./before.ts";
import { type Content, isUnknown, versionIn } from "./document.ts";
import { clientOf } from "./progress.ts";
import type { UndoRequest } from "./requests.ts";

/** The gateway's own port, without a network in between. */
export type Door = (request: DoorRequest) => Promise<DoorAnswer>;

export type DoorRequest = {
  readonly method: string;
  readonly path: string;
  readonly headers: HeaderList;
  readonly body: string | null;
};

/** `header` by its name in small letters. */
export type DoorAnswer = { readonly status: number; header(name: string): string | null; readonly body: Buffer };

export type Sender = {
  readonly door: Door;
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
  const text = answer.body.toString("utf8");
  if (answer.status !== 200) return { kind: "not seen", ended: failed(`to look, ${datadogSaid(answer)}`) };
  const version = versionIn(kind, text, { isErased: () => false });
  if (isUnknown(version)) return { kind: "not seen", ended: failed(`of what is there, ${version.why}`) };
  if (version.id !== id) return { kind: "not seen", ended: failed("Datadog shows another one there") };
  return isGone(kind, text) ? { kind: "absent" } : { kind: "there", content: version.content };
}

export async function act(sender: Sender, request: UndoRequest, key: string): Promise<Sent> {
  const answer = await send(sender, request, key);
  if (answer === null) return { kind: "not done", call: null, ended: failed(brokenOff) };
  const call = callOf(answer);
  if (isOurs(answer)) return { kind: "not done", call, ended: endedBy(answer, `${request.operation} is`) };
  if (answer.status < 200 || answer.status > 299) return { kind: "not done", call, ended: failed(datadogSaid(answer)) };
  return { kind: "done", call, text: answer.body.toString("utf8") };
}

const brokenOff = "the gateway broke off: ask again, and it says what is known of it";

/** Null when there is no answer, as at the end of a gateway. */
const send = async (
  { door, token }: Sender,
  { method, path, body }: UndoRequest,
  key: string,
): Promise<DoorAnswer | null> =>
  door({
    method,
    path,
    headers: [
      ["Authorization", `Bearer ${await token()}`],
      ["User-Agent", clientOf(key)],
      ["Accept", "application/json"],
      // Whoever is asked may take hours: nobody waits on a connection for that.
      ["Prefer", "respond-async"],
      ...(body === null ? [] : ([["Content-Type", "application/json"]] as const)),
    ],
    body,
  }).catch(() => null);

/** The gateway's own answer, and not Datadog's, whose headers of these names are dropped. */
const isOurs = (answer: DoorAnswer): boolean =>
  answer.header("dogwatch-error") !== null || answer.header("dogwatch-approval") !== null;

function endedBy(answer: DoorAnswer, what: string): Ended {
  if (answer.header("dogwatch-approval") !== null) return waitingFor(answer);
  const says = errorsIn(answer)
    .join("; ")
    .replace(/^dogwatch: /, "");
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

function waitingFor(answer: DoorAnswer): Ended {
  const asked = question.safeParse(jsonIn(answer));
  if (!asked.success) return failed("people were asked, and the answer does not say where");
  const { id, url, title } = asked.data;
  return { state: "waiting", why: `people are asked: ${title}`, approval: { id, url } };
}

/** As much as is needed of an approval, and of Datadog's shape of errors. */
const question = z.object({ id: z.uuid(), url: z.url(), title: z.string() });
const errors = z.object({ errors: z.array(z.string()) });

const failed = (why: string): Ended => ({ state: "failed", why });

/** What Datadog complains of may quote what was sent; its beginning tells enough. */
function datadogSaid(answer: DoorAnswer): string {
  const says = errorsIn(answer).join("; ").slice(0, 300);
  return `Datadog answered ${answer.status}${says === "" ? "" : `: ${says}`}`;
}

const errorsIn = (answer: DoorAnswer): readonly string[] => {
  const parsed = errors.safeParse(jsonIn(answer));
  return parsed.success ? parsed.data.errors : [];
};

const jsonIn = ({ body }: DoorAnswer): unknown => {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    return null;
  }
};

/** `dogwatch-call: <session>/<n>` */
function callOf(answer: DoorAnswer): CallNumber | null {
  const [, session_id, n] = /^([0-9a-f-]{36})\/(\d{1,9})$/.exec(answer.header("dogwatch-call") ?? "") ?? [];
  return session_id === undefined || n === undefined ? null : { session_id, n: Number(n) };
}
