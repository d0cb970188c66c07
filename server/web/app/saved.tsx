/** Searches that somebody keeps in this browser, as links: each person's own. */

import { useEffect, useState } from "preact/hooks";
import type { MeJson } from "../../contract.ts";
import { searchAddress } from "../searching.ts";
import { read } from "./gateway.ts";
import { Shown } from "./shown.tsx";

const most = 30;

/** What is kept there may be anybody's writing. */
function kept(place: string): readonly string[] {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(place) ?? "[]");
    return Array.isArray(found) ? found.filter((one) => typeof one === "string").slice(0, most) : [];
  } catch {
    return [];
  }
}

/** `keeps`: what was not understood is not worth it. What somebody looked for is nobody else's business who signs in here later. */
export function SavedSearches({ query, keeps }: { readonly query: string; readonly keeps: "this" | "none" }) {
  const [place, setPlace] = useState<string | null>(null);
  const [own, setOwn] = useState<readonly string[]>([]);
  useEffect(() => {
    read<MeJson>("/v1/me")
      .then(({ name }) => {
        setPlace(`dogwatch.searches ${name}`);
        setOwn(kept(`dogwatch.searches ${name}`));
      })
      .catch(() => undefined);
  }, []);
  if (place === null) return null;
  const keep = (next: readonly string[]): void => {
    setOwn(next);
    localStorage.setItem(place, JSON.stringify(next));
  };
  const canKeep = keeps === "this" && query.trim() !== "" && !own.includes(query) && own.length < most;
  return own.length === 0 && !canKeep ? null : (
    <ul class="chips" aria-label="Saved searches">
      {own.map((one) => (
        <li key={one}>
          <span class="chip" aria-current={one === query ? "true" : undefined}>
            <a href={searchAddress(one)}>
              <Shown text={one} />
            </a>
            <button
              type="button"
              aria-label={`Forget ${one}`}
              onClick={() => keep(own.filter((other) => other !== one))}
            >
              ✕
            </button>
          </span>
        </li>
      ))}
      {canKeep && (
        <li>
          <button type="button" class="quiet" onClick={() => keep([...own, query])}>
            Save this search
          </button>
        </li>
      )}
    </ul>
  );
}
