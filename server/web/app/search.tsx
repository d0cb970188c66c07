/** The search page: what the server found stays; the box completes, searches can be kept, and more is read without leaving. */

import { type ComponentChild, render } from "preact";
import { MoreHits } from "./hits.tsx";
import { SavedSearches } from "./saved.tsx";
import { SearchBox } from "./searchBox.tsx";
import { ago, moment, plural } from "./words.ts";

export function takeSearch(main: HTMLElement): void {
  const query = new URLSearchParams(location.search).get("q") ?? "";
  takeBox(main);
  const keeps = main.querySelector(".wrong") === null ? "this" : "none";
  put(<SavedSearches query={query} keeps={keeps} />, (place) => main.querySelector(".chips")?.after(place));
  for (const time of main.querySelectorAll("time")) {
    time.title = moment(time.dateTime);
    time.textContent = ago(time.dateTime, Date.now());
  }
  const further = main.querySelector<HTMLElement>(".further");
  const cursor = further?.querySelector<HTMLElement>("[data-cursor]")?.dataset["cursor"];
  if (cursor === undefined) return;
  const status = main.querySelector(".found [role=status]");
  const served = main.querySelectorAll(".hit").length;
  const tell = (count: number, isWhole: boolean): void => {
    if (status !== null)
      status.textContent = `${plural(served + count, "call")}${isWhole ? "." : ", newest first; there may be more."}`;
  };
  put(<MoreHits query={query} cursor={cursor} tell={tell} />, (place) => further?.replaceWith(place));
}

/** With what was typed while the script was on its way. */
function takeBox(main: HTMLElement): void {
  const form = main.querySelector("form.search");
  const input = form?.querySelector("input");
  if (form === null || input === null || input === undefined) return;
  const isFocused = document.activeElement === input;
  const wrong = input.getAttribute("aria-describedby");
  put(<SearchBox query={input.value} wrong={wrong} />, (place) => form.replaceWith(place));
  if (isFocused) document.querySelector<HTMLElement>("#q")?.focus();
}

function put(content: ComponentChild, into: (place: HTMLElement) => void): void {
  const place = document.createElement("div");
  into(place);
  render(content, place);
}
