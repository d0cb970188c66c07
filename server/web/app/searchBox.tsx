/** The search box: completes keys and values, and works like any other combobox from the keyboard. */

import { useEffect, useRef, useState } from "preact/hooks";
import { useKeys } from "./keys.ts";
import { completionsOf } from "./query.ts";

export type SearchBoxProps = {
  readonly query: string;
  readonly known: ReadonlyMap<string, readonly string[]>;
  search(query: string): void;
};

export function SearchBox({ query, known, search }: SearchBoxProps) {
  const input = useRef<HTMLInputElement>(null);
  const [text, setText] = useState(query);
  const [isOpen, setOpen] = useState(false);
  const [chosen, setChosen] = useState(-1);
  useEffect(() => setText(query), [query]);
  useKeys({ "/": () => input.current?.focus() });
  const options = isOpen ? completionsOf(text, known) : [];
  const take = (completed: string): void => {
    setText(completed);
    setChosen(-1);
    if (!completed.endsWith(":")) search(completed.trim());
    input.current?.focus();
  };
  const pressed = (event: KeyboardEvent): void => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      setOpen(true);
      setChosen((at) => Math.max(-1, Math.min(options.length - 1, at + (event.key === "ArrowDown" ? 1 : -1))));
    } else if (event.key === "Tab" && options.length > 0 && chosen >= 0) take(options[chosen]?.text ?? text);
    else if (event.key === "Enter" && chosen >= 0) take(options[chosen]?.text ?? text);
    else if (event.key === "Escape" && isOpen) setOpen(false);
    else return;
    event.preventDefault();
  };
  return (
    <form
      class="search"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        setOpen(false);
        search(text.trim());
      }}
    >
      <div class="box">
        <label class="unseen" for="q">
          Search
        </label>
        <input
          ref={input}
          id="q"
          type="text"
          value={text}
          placeholder="Search: repo:acme/app has:denied, or words in calls   ( / )"
          autocomplete="off"
          spellcheck={false}
          role="combobox"
          aria-expanded={options.length > 0}
          aria-controls="completions"
          aria-autocomplete="list"
          aria-activedescendant={chosen >= 0 ? `completion-${chosen}` : undefined}
          onInput={(event) => {
            setText(event.currentTarget.value);
            setOpen(true);
            setChosen(-1);
          }}
          onFocus={() => setOpen(true)}
          onBlur={() => setOpen(false)}
          onKeyDown={pressed}
        />
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
                take(option.text);
              }}
            >
              <code>{/\S*\s?$/.exec(option.text)?.[0]}</code>
              <span class="soft">{option.what}</span>
            </li>
          ))}
        </ul>
      </div>
      <button>Search</button>
    </form>
  );
}
