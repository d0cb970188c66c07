/** Searches that are worth keeping: links, some given, others this browser's own. */

import { useState } from "preact/hooks";
import { Shown } from "./shown.tsx";

const given = [
  { name: "All", query: "" },
  { name: "Running", query: "state:open" },
  { name: "With denials", query: "has:denied" },
  { name: "Asked people", query: "has:approved" },
] as const;

const place = "dogwatch.searches";

/** What is kept there may be anybody's writing. */
function kept(): readonly string[] {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(place) ?? "[]");
    return Array.isArray(found) ? found.filter((one) => typeof one === "string").slice(0, 30) : [];
  } catch {
    return [];
  }
}

export function SavedSearches({ query }: { readonly query: string }) {
  const [own, setOwn] = useState(kept);
  const keep = (next: readonly string[]): void => {
    setOwn(next);
    localStorage.setItem(place, JSON.stringify(next));
  };
  const href = (text: string): string => (text === "" ? "/sessions" : `/sessions?q=${encodeURIComponent(text)}`);
  const isKnown = own.includes(query) || given.some((one) => one.query === query);
  return (
    <ul class="chips" aria-label="Saved searches">
      {given.map((one) => (
        <li key={one.name}>
          <a class="chip" href={href(one.query)} aria-current={one.query === query ? "true" : undefined}>
            {one.name}
          </a>
        </li>
      ))}
      {own.map((one) => (
        <li key={one}>
          <span class="chip" aria-current={one === query ? "true" : undefined}>
            <a href={href(one)}>
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
      {!isKnown && (
        <li>
          <button type="button" class="quiet" onClick={() => keep([...own, query])}>
            Save this search
          </button>
        </li>
      )}
    </ul>
  );
}
