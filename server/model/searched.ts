/** What a search sees of a call: what its fields say, and the texts that are looked through, all as masks left them. */

import type { Caller } from "./caller.ts";
import type { StoredCall } from "./receipt.ts";

export type Side = "request" | "response";

export type SearchedCall = {
  readonly call: StoredCall;
  readonly connection: string;
  readonly caller: Caller;
  /** As `Scope` names it; null where it is of none. */
  readonly repository: string | null;
};

/** With the text of its bodies, as far as they are looked through; null where there is none, or it is not kept any more. */
export type SearchedTexts = SearchedCall & Readonly<Record<Side, string | null>>;

/** Where a call stands in the index: the later, the newer. */
export type Place = { readonly epoch: number; readonly place: number };

/** Whose calls may be found; `repositories` are `<issuer> <repository id>`, as the claims of sessions say them. */
export type Scope =
  | { readonly kind: "everything" }
  | { readonly kind: "repositories"; readonly repositories: readonly string[] };

export const searchFields = [
  "operation",
  "access",
  "status",
  "decision",
  "rule",
  "repo",
  "pr",
  "run",
  "actor",
  "session",
  "connection",
] as const;
export type SearchField = (typeof searchFields)[number];

/** In small letters. */
export const valuesOf = (field: SearchField, searched: SearchedCall): string[] =>
  valuesAsSaid(field, searched).map((value) => value.toLowerCase());

const valuesAsSaid = (field: SearchField, { call, connection, caller }: SearchedCall): string[] => {
  const claim = (name: string): string[] => {
    const value = caller.claims[name];
    return typeof value === "string" || typeof value === "number" ? [String(value)] : [];
  };
  const decisions = [call.decision, ...(call.response_decision === null ? [] : [call.response_decision])];
  switch (field) {
    case "operation":
      return [call.operation, call.operation.split(".").at(-1) ?? ""];
    case "access":
      return [call.access];
    case "status":
      return call.status === null ? [] : [String(call.status), `${Math.floor(call.status / 100)}xx`];
    case "decision":
      return decisions.map(({ effect }) => effect);
    case "rule":
      return decisions.flatMap(({ rules }) => rules.map(({ name }) => name));
    case "repo":
      return claim("repository").flatMap((whole) => [whole, whole.split("/").at(-1) ?? ""]);
    case "pr":
      return claim("ref").flatMap((ref) => /^refs\/pull\/(\d+)\//.exec(ref)?.[1] ?? []);
    case "run":
      return claim("run_id");
    case "actor":
      return [...claim("actor"), caller.subject];
    case "session":
      return [call.session_id];
    case "connection":
      return [connection];
    default:
      return field satisfies never;
  }
};

/** ms from its arrival to its end; null while it has none. */
export const durationOf = ({ done_at, received_at }: StoredCall): number | null =>
  done_at === null ? null : Math.max(0, done_at.getTime() - received_at.getTime());

/** Four to a power of two. */
export const magnitudeOf = (milliseconds: number): number => Math.floor(4 * Math.log2(milliseconds + 1));
/** Of twelve days: nobody waits longer. */
export const highestMagnitude = 120;

export type Where = "path" | "operation" | "decision" | "error" | Side;
export type Piece = { readonly where: Where; readonly text: string };

/** What the receipt says; a word is found within one piece. */
export const receiptPieces = ({ call }: SearchedCall): Piece[] => [
  { where: "path", text: `${call.method} ${call.host}${call.path}${call.query === "" ? "" : `?${call.query}`}` },
  { where: "operation", text: call.operation },
  ...[call.decision, call.response_decision].flatMap((decision): Piece[] =>
    decision === null
      ? []
      : [
          { where: "decision", text: decision.reason },
          ...decision.rules.map(({ name, reason }): Piece => ({ where: "decision", text: `${name}: ${reason}` })),
        ],
  ),
  ...(call.error === null && call.error_code === null
    ? []
    : [{ where: "error", text: `${call.error_code ?? ""} ${call.error ?? ""}`.trim() } as const]),
];
