/** A replay while it runs and when it is over: how far it is, how many calls came to what, and each of them. */

import type { ComponentChild } from "preact";
import { useState } from "preact/hooks";
import type { ReplayedCallJson, ReplayJson } from "../../contract.ts";
import { cleanUpSentence, optionWords, outcomeMarks, outcomeNames, replayVerdict, turnsOf } from "../errands.ts";
import { read, reasonOf } from "./gateway.ts";
import { useKeys } from "./keys.ts";
import { ReplayedCalls } from "./replayedCalls.tsx";
import { Shown } from "./shown.tsx";
import { type Seen, useReplay } from "./watchReplay.ts";
import { moment, number } from "./words.ts";

type Listed = { readonly items: readonly ReplayedCallJson[]; readonly next_cursor: string | null };

/** Of which outcome, by the address; and from where. */
const callsPath = (id: string, cursor: string | null): string => {
  const outcome = new URLSearchParams(location.search).get("outcome");
  const query = new URLSearchParams({
    limit: "100",
    ...(outcome !== null && { outcome }),
    ...(cursor !== null && { cursor }),
  });
  return `/v1/replays/${id}/calls?${query.toString()}`;
};

const look = async (id: string, signal?: AbortSignal): Promise<Seen> => {
  const replay = await read<ReplayJson>(`/v1/replays/${id}`, signal);
  const cursor = new URLSearchParams(location.search).get("cursor");
  return { replay, ...(await read<Listed>(callsPath(id, cursor), signal)) };
};

export async function takeReplay(id: string): Promise<ComponentChild> {
  const form = document.querySelector<HTMLElement>("#acts")?.dataset["form"] ?? null;
  return <ReplayPage first={await look(id)} form={form} />;
}

/** `form`: what forms carry for whoever may stop it and clean up after it. */
function ReplayPage({ first, form }: { readonly first: Seen; readonly form: string | null }) {
  const { seen, trouble } = useReplay(first, (signal) => look(first.replay.id, signal));
  const { replay, items, next_cursor } = seen;
  const [more, setMore] = useState<Listed | null>(null);
  const [refused, setRefused] = useState<string | null>(null);
  useKeys({ j: () => move(1), k: () => move(-1), u: () => location.assign(`/sessions/${replay.session_id}`) });
  const cursor = more === null ? next_cursor : more.next_cursor;
  const goOn = (): void =>
    void read<Listed>(callsPath(replay.id, cursor))
      .then((found) => setMore({ ...found, items: [...(more?.items ?? []), ...found.items] }))
      .catch((error: unknown) => setRefused(reasonOf(error)));
  return (
    <>
      <p class="crumbs">
        <a href="/sessions">Sessions</a> / <a href={`/sessions/${replay.session_id}`}>{replay.session_id}</a> /{" "}
        <a href={`/sessions/${replay.session_id}/replays`}>replays</a>
      </p>
      <h1>Replay</h1>
      <Standing replay={replay} />
      {[trouble, refused].map(
        (what) =>
          what !== null && (
            <p key={what} class="notice" role="status">
              {what}
            </p>
          ),
      )}
      <Facts replay={replay} />
      {form !== null && <Acts replay={replay} form={form} />}
      <h2>Calls</h2>
      <Chips replay={replay} />
      {items.length === 0 ? (
        <p>{replay.state === "running" ? "None yet." : "None."}</p>
      ) : (
        <ReplayedCalls replay={replay} calls={[...items, ...(more?.items ?? [])]} />
      )}
      {cursor !== null && replay.state !== "running" && (
        <p>
          <button type="button" class="quiet" onClick={goOn}>
            More
          </button>
        </p>
      )}
    </>
  );
}

function Standing({ replay }: { readonly replay: ReplayJson }) {
  const { label, said, box } = replayVerdict(replay);
  return (
    <div class={`state ${box}`} role="status">
      <p>
        <strong>
          <Shown text={label} />
        </strong>{" "}
        {said}
      </p>
      {replay.state === "running" && (
        <progress aria-label="Calls that have had their turn" max={Math.max(1, replay.calls)} value={turnsOf(replay)} />
      )}
    </div>
  );
}

const Facts = ({ replay }: { readonly replay: ReplayJson }) => (
  <dl class="facts">
    <div>
      <dt>Sent to</dt>
      <dd>
        sandbox <code>{replay.connection}</code>, {optionWords(replay)}
      </dd>
    </div>
    <div>
      <dt>Started</dt>
      <dd>
        by <Shown text={replay.by} />, {moment(replay.started_at)}
        {replay.ended_at !== null && `, over ${moment(replay.ended_at)}`}
      </dd>
    </div>
    {replay.replay_session_id !== null && (
      <div>
        <dt>Its recording</dt>
        <dd>
          <a href={`/sessions/${replay.replay_session_id}`}>session {replay.replay_session_id}</a>
        </dd>
      </div>
    )}
    {replay.cleanup !== null && (
      <div role="status">
        <dt>Clean-up</dt>
        <dd>
          {cleanUpSentence(replay.cleanup)}
          {replay.cleanup.reasons.map((reason, index) => (
            <div key={index}>
              <Shown text={reason} />
            </div>
          ))}
        </dd>
      </div>
    )}
  </dl>
);

/** Forms, as the server writes them: they work whatever becomes of this script. */
const Acts = ({ replay, form }: { readonly replay: ReplayJson; readonly form: string }) => {
  const isRunning = replay.state === "running";
  const cleans = !isRunning && replay.replay_session_id !== null && replay.cleanup?.state !== "running";
  if (!isRunning && !cleans) return null;
  return (
    <form method="post" action={`/replays/${replay.id}/${isRunning ? "stop" : "cleanup"}`}>
      <input type="hidden" name="form" value={form} />
      <button class="quiet">{isRunning ? "Stop it" : "Delete what it created in the sandbox"}</button>
    </form>
  );
};

const Chips = ({ replay }: { readonly replay: ReplayJson }) => {
  const current = new URLSearchParams(location.search).get("outcome");
  return (
    <nav aria-label="Outcomes">
      <ul class="chips">
        <li>
          <a class="chip" href={`/replays/${replay.id}`} aria-current={current === null ? "page" : undefined}>
            all {number(turnsOf(replay))}
          </a>
        </li>
        {outcomeNames
          .filter((one) => replay[one] > 0 || one === current)
          .map((one) => (
            <li key={one}>
              <a
                class="chip"
                href={`/replays/${replay.id}?outcome=${one}`}
                aria-current={one === current ? "page" : undefined}
              >
                <span aria-hidden="true">{outcomeMarks[one].sign}</span> {outcomeMarks[one].word} {number(replay[one])}
              </a>
            </li>
          ))}
      </ul>
    </nav>
  );
};

function move(by: number): void {
  const lines = [...document.querySelectorAll<HTMLElement>(".replayed summary")];
  const at = lines.findIndex((line) => line === document.activeElement);
  lines[Math.min(lines.length - 1, Math.max(0, at + by))]?.focus();
}
