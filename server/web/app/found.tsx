/** What a search through the calls found. */

import { useEffect, useState } from "preact/hooks";
import type { SessionJson } from "../../contract.ts";
import { matches, parseQuery } from "./query.ts";

export function Found({ query, sessions }: { readonly query: string; readonly sessions: readonly SessionJson[] }) {
  const [, setFound] = useState(null);
  useEffect(() => setFound(null), [query]);
  const meant = sessions.filter((session) => matches(session, parseQuery(query)));
  return <p>{meant.length}</p>;
}
