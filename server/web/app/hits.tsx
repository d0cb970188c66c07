/** More of what a search found, below what the server wrote, as it writes it. */

import { useState } from "preact/hooks";
import type { SearchHitJson } from "../../contract.ts";
import { markedPieces, whereWords } from "../searching.ts";
import { read, reasonOf } from "./gateway.ts";
import { cut } from "./pieces.ts";
import { Shown } from "./shown.tsx";
import { ago, moment, shortName } from "./words.ts";

type PageJson = { readonly items: readonly SearchHitJson[]; readonly next_cursor: string | null };

export type MoreHitsProps = {
  readonly query: string;
  readonly cursor: string;
  /** How many were found now, and whether there may be more. */
  tell(count: number, isWhole: boolean): void;
};

/** A page that found nothing in its time is followed by the next, so many times. */
const patience = 5;

export function MoreHits({ query, cursor, tell }: MoreHitsProps) {
  const [{ items, next_cursor }, setFound] = useState<PageJson>({ items: [], next_cursor: cursor });
  const [isBusy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState<string | null>(null);
  const more = async (): Promise<void> => {
    setBusy(true);
    setTrouble(null);
    try {
      const older = await nextPage(query, next_cursor);
      const all = [...items, ...older.items];
      setFound({ items: all, next_cursor: older.next_cursor });
      tell(all.length, older.next_cursor === null);
    } catch (error) {
      setTrouble(reasonOf(error));
    }
    setBusy(false);
  };
  return (
    <>
      {items.length > 0 && (
        <ol class="list">
          {items.map((hit) => (
            <Hit key={hit.id} hit={hit} />
          ))}
        </ol>
      )}
      {trouble !== null && (
        <p class="notice" role="alert">
          {trouble}
        </p>
      )}
      {next_cursor !== null && (
        <p class="further">
          <button type="button" class="quiet" aria-disabled={isBusy} onClick={() => isBusy || void more()}>
            {isBusy ? "Looking…" : "More"}
          </button>
        </p>
      )}
    </>
  );
}

async function nextPage(query: string, cursor: string | null): Promise<PageJson> {
  let page: PageJson = { items: [], next_cursor: cursor };
  for (let round = 0; round < patience && page.items.length === 0 && page.next_cursor !== null; round++)
    page = await read<PageJson>(
      `/v1/search?limit=50&q=${encodeURIComponent(query)}&cursor=${encodeURIComponent(page.next_cursor)}`,
    );
  return page;
}

const Hit = ({ hit }: { readonly hit: SearchHitJson }) => (
  <li class="hit">
    <div class="title">
      <a href={`/sessions/${hit.session_id}/calls/${hit.n}`}>{shortName(hit.operation)}</a>{" "}
      <span class={`badge ${hit.decision.effect}`}>{hit.decision.effect}</span>{" "}
      <span class="badge">{hit.status ?? hit.state}</span> <span class="soft">{hit.access}</span>{" "}
      <time class="soft" dateTime={hit.received_at} title={moment(hit.received_at)}>
        {ago(hit.received_at, Date.now())}
      </time>
    </div>
    <div class="detail">
      <a href={`/sessions/${hit.session_id}#call-${hit.n}`}>
        <Shown text={hit.repository ?? hit.subject} />
      </a>{" "}
      · <Shown text={hit.connection} /> ·{" "}
      <code>
        <Shown text={cut(`${hit.method} ${hit.path}`, 300)} />
      </code>
    </div>
    {hit.excerpts.map(({ where, text, marks }, index) => (
      <div key={index} class="excerpt">
        <span class="soft">{whereWords[where]}</span>{" "}
        <code>
          {markedPieces(text, marks).map((piece, at) =>
            piece.isFound ? (
              <mark key={at}>
                <Shown text={piece.text} />
              </mark>
            ) : (
              <Shown key={at} text={piece.text} />
            ),
          )}
        </code>
      </div>
    ))}
  </li>
);
