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

/** Nothing when there is no checkpoint in it. */
export const findAnchors = (name: string, text: string): readonly Anchor[] => {
  const plain = text
    .replaceAll("\r\n", "\n")
    .replaceAll(/&#(\d{1,5});/g, (_entity, code: string) => String.fromCodePoint(Number(code)));
  return [...plain.matchAll(note)].map((found) => {
    const before = plain.slice(0, found.index);
    const [session_id, sealedHead] = [last(before, session), last(before, head)];
    const sealed = session_id === null || sealedHead === null ? null : { session_id, head: sealedHead };
    return { name, note: found[0].endsWith("\n") ? found[0] : `${found[0]}\n`, sealed };
  });
};

const last = (text: string, pattern: RegExp): string | null => [...text.matchAll(pattern)].at(-1)?.[1] ?? null;
