/** A text with numbered lines; the numbers of those with problems stand out. */

import type { RefObject } from "preact";
import { useRef } from "preact/hooks";

export type EditorProps = {
  readonly text: string;
  readonly area: RefObject<HTMLTextAreaElement | null>;
  /** Lines with problems, from 1. */
  readonly wrong: readonly number[];
  readonly change: (text: string) => void;
  /** Ctrl+Enter. */
  readonly submit: (event: Event) => void;
  /** Id of what says what is wrong. */
  readonly describedBy: string | null;
};

export function Editor({ text, area, wrong, change, submit, describedBy }: EditorProps) {
  const numbers = useRef<HTMLPreElement>(null);
  const lines = text.split("\n").length;
  return (
    <div>
      <label for="policy-text">
        Policy{" "}
        <span class="soft">
          (the block <code>policy:</code> of dogwatch.yaml; Ctrl+Enter tries it)
        </span>
      </label>
      <div class="editor">
        <pre class="lines" aria-hidden="true" ref={numbers}>
          {Array.from({ length: lines }, (_, index) =>
            wrong.includes(index + 1) ? (
              <span key={index} class="wrong">
                {`● ${index + 1}\n`}
              </span>
            ) : (
              `${index + 1}\n`
            ),
          )}
        </pre>
        <textarea
          id="policy-text"
          name="text"
          ref={area}
          rows={18}
          maxLength={262_144}
          spellcheck={false}
          autocapitalize="off"
          wrap="off"
          value={text}
          aria-invalid={wrong.length > 0}
          aria-describedby={describedBy ?? undefined}
          onInput={(event) => change(event.currentTarget.value)}
          onScroll={(event) => {
            if (numbers.current !== null) numbers.current.scrollTop = event.currentTarget.scrollTop;
          }}
          onKeyDown={(event) => {
            if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) submit(event);
          }}
        />
      </div>
    </div>
  );
}

/** Puts the caret there, line and column from 1, and the line into view. */
export function placeCaret(
  area: HTMLTextAreaElement | null,
  { line, column }: { readonly line: number; readonly column: number },
): void {
  if (area === null) return;
  const lines = area.value.split("\n");
  const before = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0);
  const from = Math.min(area.value.length, before + column - 1);
  const word = /^[\w.-]+/.exec(area.value.slice(from))?.[0] ?? "";
  area.focus();
  area.setSelectionRange(from, from + word.length);
  area.scrollTop = Math.max(0, (area.scrollHeight / lines.length) * (line - 5));
}
