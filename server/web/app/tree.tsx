/** JSON as a tree that folds: one level is read at a time, numbers keep their spelling, and every value has an address of its own. */

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { isWithin, type JsonValue, type Member, membersOf } from "./json.ts";
import { Long, Shown } from "./shown.tsx";
import { cut } from "./pieces.ts";
import { number } from "./words.ts";

export type TreeProps = {
  readonly text: string;
  readonly root: JsonValue;
  /** `request` or `response`: addresses are `#request$.options`. */
  readonly side: string;
  /** Values that are marked as differing from those beside. */
  readonly marks?: ReadonlySet<string>;
};

type Row = Member & { readonly depth: number; readonly isOpen: boolean | null };

const noMarks: ReadonlySet<string> = new Set();

/** Rows that are drawn at once; more for whoever asks. */
const firstRows = 300;
/** Members of one value that are read at once. */
const mostMembers = 5_000;
/** Values shorter than this open by themselves. */
const small = 1_500;

export function Tree({ text, root, side, marks = noMarks }: TreeProps) {
  const [folds, setFolds] = useState<ReadonlyMap<string, boolean>>(new Map());
  const [most, setMost] = useState(firstRows);
  const here = useHash(side);
  const rows = useMemo(() => rowsOf({ text, root, folds, here, marks, most }), [text, root, folds, here, marks, most]);
  const fold = (path: string, isOpen: boolean): void => setFolds(new Map(folds).set(path, isOpen));
  return (
    <div class="tree">
      <ul>
        {rows.shown.map((row) => (
          <TreeRow
            key={row.path}
            text={text}
            row={row}
            side={side}
            isHere={row.path === here}
            differs={marks.has(row.path)}
            fold={fold}
          />
        ))}
      </ul>
      {rows.rest && (
        <p class="leaf more">
          <button type="button" class="plain" onClick={() => setMost(most + 700)}>
            Show more lines
          </button>
        </p>
      )}
    </div>
  );
}

/** The path that the address of this page names on this side; null when it names none. */
function useHash(side: string): string | null {
  const read = (): string | null => {
    const hash = decoded(location.hash.slice(1));
    return hash.startsWith(`${side}$`) ? hash.slice(side.length) : null;
  };
  const [here, setHere] = useState(read);
  useEffect(() => {
    const changed = (): void => setHere(read());
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, [side]);
  return here;
}

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

type Asked = {
  readonly text: string;
  readonly root: JsonValue;
  readonly folds: ReadonlyMap<string, boolean>;
  readonly here: string | null;
  readonly marks: ReadonlySet<string>;
  readonly most: number;
};

/** The rows of everything that is open, in order, at most so many: a stack instead of recursion, for depth is the recording's to choose. */
function rowsOf({ text, root, folds, here, marks, most }: Asked): {
  readonly shown: readonly Row[];
  readonly rest: boolean;
} {
  const shown: Row[] = [];
  const waiting: (Member & { readonly depth: number })[] = [{ key: null, path: "$", value: root, depth: 0 }];
  let rest = false;
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (shown.length === most) return { shown, rest: true };
    const { value, path, depth } = next;
    const isFolder = value.kind === "object" || value.kind === "array";
    const leads = leadsTo(here, path) || (isFolder && [...marks].some((mark) => leadsTo(mark, path)));
    const isOpen = isFolder
      ? (folds.get(path) ?? (leads || depth === 0 || (depth < 4 && value.end - value.start < small)))
      : null;
    shown.push({ ...next, isOpen });
    if (isOpen !== true) continue;
    const within = membersOf(text, next, mostMembers);
    rest ||= within.rest;
    for (const member of within.members.toReversed()) waiting.push({ ...member, depth: depth + 1 });
  }
  return { shown, rest };
}

const leadsTo = (there: string | null, path: string): boolean =>
  there !== null && there !== path && isWithin(there, path);

type RowProps = {
  readonly text: string;
  readonly row: Row;
  readonly side: string;
  readonly isHere: boolean;
  readonly differs: boolean;
  fold(path: string, isOpen: boolean): void;
};

function TreeRow({ text, row, side, isHere, differs, fold }: RowProps) {
  const { key, path, value, depth, isOpen } = row;
  const item = useRef<HTMLLIElement>(null);
  useEffect(() => {
    if (isHere) item.current?.scrollIntoView({ block: "center" });
  }, [isHere]);
  const name = key === null ? (path === "$" ? null : /\[\d+\]$/.exec(path)?.[0]) : key;
  return (
    <li
      ref={item}
      class={isHere ? "here" : differs ? "differs" : undefined}
      style={{ paddingLeft: `${Math.min(depth, 24) * 1.1 + 0.6}rem` }}
    >
      {differs && (
        <strong title="differs">
          <span aria-hidden="true">≠</span>
          <span class="unseen">differs: </span>
        </strong>
      )}
      {isOpen === null ? (
        <span class="leaf">
          {name !== null && name !== undefined && <Key name={name} />}
          <span class={`value ${value.kind}`}>
            <Long text={text.slice(value.start, value.end)} first={400} step={20_000} />
          </span>
        </span>
      ) : (
        <button type="button" class="fold" aria-expanded={isOpen} onClick={() => fold(path, !isOpen)}>
          {name !== null && name !== undefined && <Key name={name} />}
          <span class="soft">{isOpen ? (value.kind === "object" ? "{" : "[") : summaryOf(text, value)}</span>
        </button>
      )}
      <a class="place" href={`#${encodeURIComponent(side + path)}`} aria-label={`Link to ${cut(path, 200)}`}>
        #
      </a>
    </li>
  );
}

const Key = ({ name }: { readonly name: string }) => (
  <span class="key">
    <Shown text={cut(name, 200)} />
    <span class="soft">: </span>
  </span>
);

const summaryOf = (text: string, value: JsonValue): string => {
  const { members, rest } = membersOf(text, { value, path: "" }, 1_000);
  const count = `${number(members.length)}${rest ? "+" : ""}`;
  return value.kind === "object" ? `{ ${count} }` : `[ ${count} ]`;
};
