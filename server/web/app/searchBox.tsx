/** The search box: completes fields and values, works like any other combobox from the keyboard, and leads to the search page. */

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { SearchHitJson, SessionJson } from "../../contract.ts";
import { type Completion, completionsOf, type Known, knownIn } from "./completions.ts";
import { read } from "./gateway.ts";
import { useKeys } from "./keys.ts";
import { Shown } from "./shown.tsx";

export type SearchBoxProps = {
  readonly query: string;
  /** The id of what says that the search was not understood. */
  readonly wrong: string | null;
};

export function SearchBox({ query, wrong }: SearchBoxProps) {
  const input = useRef<HTMLInputElement>(null);
  const [text, setText] = useState(query);
  const [isOpen, setOpen] = useState(false);
  const [chosen, setChosen] = useState(-1);
  const { known, learn } = useKnown();
  useKeys({ "/": () => input.current?.focus() });
  const options = useMemo(() => (isOpen ? completionsOf(text, known) : []), [isOpen, text, known]);
  const take = (completion: Completion | undefined): void => {
    if (completion !== undefined) setText(completion.text);
    setChosen(-1);
    input.current?.focus();
  };
  const pressed = (event: KeyboardEvent): void => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      setOpen(true);
      setChosen((at) => Math.max(-1, Math.min(options.length - 1, at + (event.key === "ArrowDown" ? 1 : -1))));
    } else if ((event.key === "Tab" || event.key === "Enter") && chosen >= 0) take(options[chosen]);
    else if (event.key === "Escape" && isOpen) setOpen(false);
    else return;
    event.preventDefault();
  };
  return (
    <form class="search" role="search" action="/search">
      <div class="box">
        <label class="unseen" for="q">
          Search in calls
        </label>
        <input
          ref={input}
          id="q"
          name="q"
          type="text"
          value={text}
          placeholder="Search in calls: repo:acme/app status:4xx checkout   ( / )"
          autocomplete="off"
          spellcheck={false}
          role="combobox"
          aria-expanded={options.length > 0}
          aria-controls="completions"
          aria-autocomplete="list"
          aria-activedescendant={chosen >= 0 ? `completion-${chosen}` : undefined}
          aria-invalid={wrong === null ? undefined : "true"}
          aria-describedby={wrong ?? undefined}
          onInput={(event) => {
            setText(event.currentTarget.value);
            setOpen(true);
            setChosen(-1);
          }}
          onFocus={() => {
            learn();
            setOpen(true);
          }}
          onBlur={() => setOpen(false)}
          onKeyDown={pressed}
        />
        <Options options={options} chosen={chosen} take={take} />
      </div>
      <button>Search</button>
    </form>
  );
}

type OptionsProps = {
  readonly options: readonly Completion[];
  readonly chosen: number;
  take(completion: Completion): void;
};

function Options({ options, chosen, take }: OptionsProps) {
  useEffect(() => document.querySelector(`#completion-${chosen}`)?.scrollIntoView({ block: "nearest" }), [chosen]);
  return (
    <ul id="completions" class="options" role="listbox" aria-label="Completions" hidden={options.length === 0}>
      {options.map((option, index) => (
        <li
          key={option.text}
          id={`completion-${index}`}
          role="option"
          aria-selected={index === chosen}
          onMouseDown={(event) => {
            // Before the box loses the focus, and the list with it.
            event.preventDefault();
            take(option);
          }}
        >
          <code>
            <Shown text={option.shown} />
          </code>
          <span class="soft">{option.what}</span>
        </li>
      ))}
    </ul>
  );
}

/** Asked for when somebody begins to type: the newest that the gateway shows them. Without an answer there is less to complete. */
function useKnown(): { readonly known: Known; learn(): void } {
  const [known, setKnown] = useState<Known>(new Map());
  const asked = useRef(false);
  const learn = (): void => {
    if (asked.current) return;
    asked.current = true;
    Promise.all([
      read<{ readonly items: readonly SessionJson[] }>("/v1/sessions?limit=200"),
      read<{ readonly items: readonly SearchHitJson[] }>("/v1/search?q=&limit=200"),
    ])
      .then(([sessions, hits]) => setKnown(knownIn(sessions.items, hits.items)))
      .catch(() => undefined);
  };
  return { known, learn };
}
