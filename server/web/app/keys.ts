/** The keyboard: single keys where nobody is typing, and what each does. */

import { useEffect, useRef } from "preact/hooks";

export type Keys = Readonly<Record<string, () => unknown>>;

/** As the help shows them. */
export const keyHelp: readonly (readonly [keys: string, what: string])[] = [
  ["?", "this help"],
  ["/", "search"],
  ["g s", "sessions"],
  ["g f", "find calls"],
  ["g a", "approvals"],
  ["g o", "overview"],
  ["g p", "policy"],
  ["j k", "next, previous call, session or question"],
  ["Enter", "open it"],
  ["space", "play, pause"],
  [". ,", "one call on, back"],
  ["n", "next call that was denied"],
  ["e", "to the end, and stay there"],
  ["[ ]", "previous, next call (on the page of a call)"],
  ["u", "up: from a call, a replay or an undo to its session, from a question to all"],
  ["a d r", "to Approve, to Deny, to the reason (on the page of a question)"],
  ["Esc", "close"],
];

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && target.closest("input, textarea, select, dialog, [contenteditable]") !== null;

/** Space and Enter mean the button that has the focus. */
const isPressing = (event: KeyboardEvent): boolean =>
  (event.key === " " || event.key === "Enter") &&
  event.target instanceof HTMLElement &&
  event.target.closest("a, button, summary") !== null;

export function useKeys(keys: Keys): void {
  const latest = useRef(keys);
  latest.current = keys;
  useEffect(() => listen((key) => latest.current[key]), []);
}

/** @returns what ends it */
export function listen(find: (key: string) => (() => unknown) | undefined): () => void {
  const pressed = (event: KeyboardEvent): void => {
    if (
      event.defaultPrevented ||
      event.ctrlKey ||
      event.metaKey ||
      event.altKey ||
      isTyping(event.target) ||
      isPressing(event)
    )
      return;
    const act = find(event.key);
    if (act === undefined) return;
    event.preventDefault();
    act();
  };
  addEventListener("keydown", pressed);
  return () => removeEventListener("keydown", pressed);
}
