/** Takes over the page that the server wrote, as soon as there is something better to show. */

import { type ComponentChild, render } from "preact";
import type { CallJson } from "../../contract.ts";
import { ApprovalsPage, readApprovals } from "./approvals.tsx";
import { CallPage } from "./callPage.tsx";
import { look } from "./follow.ts";
import { read, reasonOf } from "./gateway.ts";
import { Help } from "./help.tsx";
import { OverviewPage } from "./overview.tsx";
import { RuleCounts } from "./policy.tsx";
import { takeReplay } from "./replay.tsx";
import { enliven } from "./question.ts";
import { takeSearch } from "./search.tsx";
import { SessionPage } from "./session.tsx";
import { SessionsPage, type SessionsPageJson } from "./sessions.tsx";
import { takeOverTrial } from "./tryPolicy.tsx";
import { takeUndo } from "./undo.tsx";

const main = document.querySelector("main");
const view = main?.dataset["view"];
const [, , id = "", , n = ""] = location.pathname.split("/");

/** Until the first answer is there, the page stays as the server wrote it. */
function show(content: ComponentChild): void {
  if (main === null) return;
  main.replaceChildren();
  render(content, main);
  isDrawn();
}

function isDrawn(): void {
  if (main !== null) main.dataset["drawn"] = "yes";
}

const fail = (reason: string): void => {
  if (main === null) return;
  const notice = document.createElement("p");
  notice.className = "notice";
  notice.role = "status";
  notice.textContent = `${reason} The page is as it was when it was loaded.`;
  main.prepend(notice);
};

async function start(): Promise<void> {
  switch (view) {
    case "session": {
      main?.classList.add("wide");
      const provable = document.querySelector<HTMLElement>(".exports")?.dataset["provable"] === "yes" ? "yes" : "no";
      // The first thousand calls: the rest is read while they are looked at.
      return show(<SessionPage id={id} first={await look(id, [])} provable={provable} />);
    }
    case "call":
      return show(<CallPage first={await read<CallJson>(`/v1/sessions/${id}/calls/${n}`)} />);
    case "sessions":
      return show(<SessionsPage first={await read<SessionsPageJson>("/v1/sessions?limit=50")} />);
    case "search":
      if (main !== null) takeSearch(main);
      return isDrawn();
    case "overview":
      return show(<OverviewPage />);
    case "approvals":
      return show(<ApprovalsPage first={await readApprovals()} states={statesOfChips()} />);
    case "approval":
      return main === null ? undefined : enliven(main);
    case "policy":
      takeOverTrial();
      return countRules();
    case "replay":
      main?.classList.add("wide");
      return show(await takeReplay(id));
    case "undo":
      return show(await takeUndo(id));
    default:
      return undefined;
  }
}

/** The states and their words, as the server wrote them. */
const statesOfChips = () =>
  [...document.querySelectorAll<HTMLAnchorElement>("main .chips a")].map(({ search, textContent }) => ({
    state: new URLSearchParams(search).get("state") ?? "",
    words: textContent,
  }));

/** The rules stay as the server wrote them; the counts come beside them. */
function countRules(): void {
  const place = document.createElement("div");
  const headings = [...document.querySelectorAll<HTMLElement>("[id^=rule-]")];
  main?.querySelector("dl")?.after(place);
  render(<RuleCounts rules={headings.map(({ id }) => id.slice("rule-".length))} />, place);
  isDrawn();
}

for (const link of document.querySelectorAll<HTMLAnchorElement>(".top nav a"))
  if (location.pathname === link.pathname || location.pathname.startsWith(`${link.pathname}/`))
    link.setAttribute("aria-current", "page");

const corner = document.createElement("div");
document.body.append(corner);
render(<Help />, corner);

start().catch((error: unknown) => fail(reasonOf(error)));
