/** The page of one question, which the server wrote: its time runs, it shows what has changed, and its buttons are one key away. */

import { listen } from "./keys.ts";
import { leftUntil } from "./words.ts";

/** Answers are given by the form alone, and never by a single key: keys only lead to its buttons. */
export function enliven(main: HTMLElement): void {
  runDown(main);
  const box = main.querySelector<HTMLElement>(".state[data-version]");
  const frame = main.querySelector<HTMLIFrameElement>("iframe.live");
  frame?.addEventListener("load", () => {
    const now = frame.contentDocument?.body.dataset["version"] ?? "";
    if (now === "" || now === box?.dataset["version"]) return;
    // Who is writing a reason for a question that still waits goes on writing.
    const isWriting = (main.querySelector<HTMLTextAreaElement>("textarea[name=reason]")?.value ?? "") !== "";
    if (!isWriting || !now.startsWith("pending ")) location.reload();
  });
  const focus = (selector: string) => (): void => main.querySelector<HTMLElement>(selector)?.focus();
  const keys: Readonly<Record<string, () => void>> = {
    a: focus("button.yes"),
    d: focus("button.no"),
    r: focus("textarea[name=reason]"),
    u: () => location.assign("/approvals"),
  };
  // The second of two keys is the help's.
  let before = "";
  listen((key) => {
    const act = before === "g" ? undefined : keys[key];
    before = key;
    return act;
  });
  main.dataset["drawn"] = "yes";
}

function runDown(main: HTMLElement): void {
  const clocks = [...main.querySelectorAll<HTMLElement>("time[data-until]")];
  if (clocks.length === 0) return;
  setInterval(() => {
    for (const clock of clocks) clock.textContent = leftUntil(clock.dataset["until"] ?? "", Date.now());
  }, 1_000);
}
