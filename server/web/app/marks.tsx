/** The small signs of calls and sessions: each has a word, a shape and a colour, and none needs the colour. */

import type { CallJson, SessionJson } from "../../contract.ts";

export type Access = CallJson["access"];
export type Effect = CallJson["decision"]["effect"];

const letters = { read: "R", write: "W", destructive: "D", submit: "S", unknown: "?" } as const satisfies Record<
  Access,
  string
>;
export const effectWords = {
  allow: "allowed",
  deny: "denied",
  approve: "asked",
  observe: "observed",
} as const satisfies Record<Effect, string>;
const effectSigns = { allow: "✓", deny: "✕", approve: "‖", observe: "◌" } as const satisfies Record<Effect, string>;

export const AccessMark = ({ access }: { readonly access: Access }) => (
  <span class={`access ${access}`} title={access} role="img" aria-label={access}>
    {letters[access]}
  </span>
);

export const EffectBadge = ({ effect }: { readonly effect: Effect }) => (
  <span class={`badge ${effect}`}>
    <span aria-hidden="true">{effectSigns[effect]}</span>
    {effectWords[effect]}
  </span>
);

export const StateBadge = ({ state }: { readonly state: SessionJson["state"] }) => (
  <span class={`badge ${state === "open" ? "open pulse" : ""}`}>{state}</span>
);
