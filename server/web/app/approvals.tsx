/** Questions to people as they stand, live: what waits first, with the time that is left. */

import { useEffect, useState } from "preact/hooks";
import type { ApprovalJson } from "../../contract.ts";
import { read, reasonOf } from "./gateway.ts";
import { useKeys } from "./keys.ts";
import { Shown } from "./shown.tsx";
import { ago, leftUntil, moment, plural } from "./words.ts";

type Listed = { readonly items: readonly ApprovalJson[]; readonly next_cursor: string | null };
export type ApprovalsJson = { readonly pending: Listed; readonly others: Listed; readonly version: string };

const none: Listed = { items: [], next_cursor: null };
/** Between two looks whether anything has changed, ms. */
const every = 5_000;

const versionNow = async (): Promise<string> => (await read<{ version: string }>("/approvals/version")).version;

/** What the address asks for: one state, or those that wait and the latest others. */
export async function readApprovals(): Promise<ApprovalsJson> {
  const asked = new URLSearchParams(location.search);
  const state = asked.get("state");
  const cursor = asked.get("cursor");
  const query = new URLSearchParams({
    limit: "50",
    ...(state !== null && { state }),
    ...(cursor !== null && { cursor }),
  });
  // The version first: what changes meanwhile is found at the next look.
  const version = await versionNow();
  const waits = state === null || state === "pending";
  const pending = waits ? await read<Listed>("/v1/approvals?limit=200&state=pending") : none;
  const others = state === "pending" ? none : await read<Listed>(`/v1/approvals?${query.toString()}`);
  return {
    version,
    pending,
    others: { ...others, items: others.items.filter((one) => one.state !== "pending") },
  };
}

export type ApprovalsPageProps = {
  readonly first: ApprovalsJson;
  /** By state, the words that the server has for it; and the chips as it wrote them. */
  readonly states: readonly { readonly state: string; readonly words: string }[];
};

export function ApprovalsPage({ first, states }: ApprovalsPageProps) {
  const { found, trouble } = useLatest(first);
  const state = new URLSearchParams(location.search).get("state");
  const wordsOf = (one: string): string => states.find((known) => known.state === one)?.words ?? one;
  useKeys({ j: () => move(1), k: () => move(-1) });
  const { pending, others } = found;
  return (
    <>
      <h1>Approvals</h1>
      <nav aria-label="States">
        <ul class="chips">
          {states.map(({ state: one, words }) => (
            <li key={one}>
              <a
                class="chip"
                href={`/approvals${one === "" ? "" : `?state=${one}`}`}
                aria-current={one === (state ?? "") ? "page" : undefined}
              >
                {words}
              </a>
            </li>
          ))}
        </ul>
      </nav>
      {trouble !== null && (
        <p class="notice" role="status">
          {trouble}
        </p>
      )}
      {(state === null || state === "pending") && (
        <section aria-labelledby="waiting">
          <h2 id="waiting">Waiting for an answer</h2>
          <p class="unseen" role="status">
            {plural(pending.items.length, "question")} waiting
          </p>
          {pending.items.length === 0 ? (
            <p>Nothing that you may see waits for an answer.</p>
          ) : (
            <Questions items={pending.items} wordsOf={wordsOf} />
          )}
        </section>
      )}
      {state !== "pending" && (
        <section aria-labelledby="latest">
          <h2 id="latest">{state === null ? "Latest" : capital(wordsOf(state))}</h2>
          {others.items.length === 0 ? <p>None on this page.</p> : <Questions items={others.items} wordsOf={wordsOf} />}
          {others.next_cursor !== null && (
            <p>
              <a
                href={`/approvals?${state === null ? "" : `state=${state}&`}cursor=${encodeURIComponent(others.next_cursor)}`}
              >
                More
              </a>
            </p>
          )}
        </section>
      )}
    </>
  );
}

const capital = (words: string): string => words.replace(/^./, (letter) => letter.toUpperCase());

/** Asks again only when something has changed: every look at the questions themselves is on record. */
function useLatest(first: ApprovalsJson): { readonly found: ApprovalsJson; readonly trouble: string | null } {
  const [found, setFound] = useState(first);
  const [trouble, setTrouble] = useState<string | null>(null);
  useEffect(() => {
    let seen = first.version;
    let busy = false;
    const look = async (): Promise<void> => {
      if (busy || document.visibilityState !== "visible") return;
      busy = true;
      try {
        if ((await versionNow()) !== seen) {
          const latest = await readApprovals();
          seen = latest.version;
          setFound(latest);
        }
        setTrouble(null);
      } catch (error) {
        setTrouble(reasonOf(error));
      }
      busy = false;
    };
    const timer = setInterval(() => void look(), every);
    return () => clearInterval(timer);
  }, []);
  return { found, trouble };
}

function move(by: number): void {
  const links = [...document.querySelectorAll<HTMLElement>(".list .session")];
  const at = links.findIndex((link) => link === document.activeElement);
  links[Math.min(links.length - 1, Math.max(0, at + by))]?.focus();
}

type QuestionsProps = { readonly items: readonly ApprovalJson[]; readonly wordsOf: (state: string) => string };

function Questions({ items, wordsOf }: QuestionsProps) {
  const now = useNow();
  return (
    <ul class="list">
      {items.map((one) => (
        <li key={one.id}>
          <a class="session" href={`/approvals/${one.id}`}>
            <span class="title">
              <Shown text={one.title} />
              <span class={`badge ${badgeOf(one.state)}`}>{wordsOf(one.state)}</span>
            </span>
            <span class="numbers">
              {one.state === "pending" ? (
                <time dateTime={one.expires_at} title={`until ${moment(one.expires_at)}`}>
                  {leftUntil(one.expires_at, now)}
                </time>
              ) : (
                ""
              )}
            </span>
            <span class="detail">
              <Shown text={one.who} /> · rule <Shown text={one.rule} />
              {one.state !== "pending" && (
                <>
                  {" "}
                  · answered by <Shown text={answeredBy(one)} />
                </>
              )}
            </span>
            <span class="numbers">
              <time
                class="soft"
                dateTime={one.decided_at ?? one.asked_at}
                title={moment(one.decided_at ?? one.asked_at)}
              >
                {ago(one.decided_at ?? one.asked_at, now)}
              </time>
            </span>
          </a>
        </li>
      ))}
    </ul>
  );
}

const answeredBy = ({ answers }: ApprovalJson): string =>
  answers
    .filter(({ accepted }) => accepted)
    .map(({ by }) => by)
    .join(", ") || "nobody";

const badgeOf = (state: ApprovalJson["state"]): string => {
  switch (state) {
    case "pending":
      return "approve";
    case "approved":
    case "consumed":
      return "allow";
    case "denied":
      return "deny";
    default:
      return "";
  }
};

function useNow(): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  return now;
}
