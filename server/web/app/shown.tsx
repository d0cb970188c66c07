/** Recorded text on the page: never markup, with nothing hidden in it, cut where it is long, and marked where something was masked. */

import { useState } from "preact/hooks";
import { cut, kindOfMask, piecesOf } from "./pieces.ts";
import { number } from "./words.ts";

export const Shown = ({ text }: { readonly text: string }) => (
  <>
    {piecesOf(text).map(({ kind, text: piece }) =>
      kind === "text" ? (
        piece
      ) : kind === "escape" ? (
        <span class="esc">{piece}</span>
      ) : (
        <mark class="mask" title={maskTitle(piece)}>
          {cut(piece, 60)}
        </mark>
      ),
    )}
  </>
);

const maskTitle = (token: string): string => {
  const kind = kindOfMask(token);
  return kind === null ? "masked: not recorded" : `masked: ${kind}. The value was never recorded.`;
};

/** The beginning of a text, and more of it for whoever asks. */
export function Long({ text, first, step }: { readonly text: string; readonly first: number; readonly step: number }) {
  const [most, setMost] = useState(first);
  const shown = cut(text, most);
  const rest = text.length - shown.length;
  return (
    <>
      <Shown text={shown} />
      {rest > 0 && (
        <>
          …{" "}
          <button type="button" class="plain more" onClick={() => setMost(most + step)}>
            show {number(Math.min(step, rest))} more of {number(rest)} characters
          </button>
        </>
      )}
    </>
  );
}
