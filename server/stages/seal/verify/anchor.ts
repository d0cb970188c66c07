/** Finds checkpoints in whatever they were kept in: a file of their own, or the job summary that shows them with their session. */

export type Anchor = {
  /** What the verifier calls it: its file. */
  readonly name: string;
  readonly note: string;
  /** The session whose summary it was, and the head that was said there. */
  readonly sealed: { readonly session_id: string; readonly head: string } | null;
};

const note = /[^\n<>]+\n\d{1,16}\n[A-Za-z0-9+/]{43}=\n(?:[^\n<>]+\n)*\n(?:— \S+ [A-Za-z0-9+/]+=*(?:\n|(?=<)|$))+/gu;
const session = /Session ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/gu;
const head = /head (?:<code>)?([0-9a-f]{64})/gu;

/** What is left of a checkpoint that lost its form on the way: a signature, or the root before it. */
const trace = /— \S+ [A-Za-z0-9+/]{80,}|^[ \t>]*[A-Za-z0-9+/]{43}=[ \t]*$/mu;

/** Nothing when there is no checkpoint in it; one that lost its form is there too, and no key opens it. */
export const findAnchors = (name: string, text: string): readonly Anchor[] => {
  const plain = text
    .replaceAll("\r\n", "\n")
    .replaceAll(/&#(\d{1,5});/g, (_entity, code: string) => String.fromCodePoint(Number(code)));
  const found: Anchor[] = [];
  let from = 0;
  for (const { 0: noted, index } of plain.matchAll(note)) {
    found.push(...brokenIn(name, plain.slice(from, index)), {
      name,
      note: noted.endsWith("\n") ? noted : `${noted}\n`,
      sealed: sealedIn(plain.slice(from, index)),
    });
    from = index + noted.length;
  }
  return [...found, ...brokenIn(name, plain.slice(from))];
};

/** What a summary says before its checkpoint, and not what another one said before. */
const sealedIn = (text: string): Anchor["sealed"] => {
  const named = [...text.matchAll(session)].at(-1);
  const said = named === undefined ? undefined : [...text.slice(named.index).matchAll(head)].at(-1);
  return named?.[1] === undefined || said?.[1] === undefined ? null : { session_id: named[1], head: said[1] };
};

const brokenIn = (name: string, text: string): readonly Anchor[] => {
  const found = trace.exec(text);
  return found === null ? [] : [{ name, note: found[0], sealed: null }];
};
