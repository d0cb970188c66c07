/** C2SP tlog-checkpoint: what a log says of its whole, as the text of a signed note. */

import { hashLength, type TreeHead } from "./merkle.ts";
import { type NoteKey, openNote, type Signer, signNote } from "./note.ts";

export type Checkpoint = TreeHead & { readonly origin: string };

const textOf = ({ origin, size, root }: Checkpoint): string => `${origin}\n${size}\n${root.toString("base64")}\n`;

/** The origin is the first signer's name. */
export const signCheckpoint = (head: TreeHead, signers: readonly [Signer, ...Signer[]]): Promise<string> =>
  signNote(textOf({ ...head, origin: signers[0].name }), signers);

/** A string says why it is none that these keys signed. */
export const openCheckpoint = (note: string, known: readonly NoteKey[]): Checkpoint | string => {
  const opened = openNote(note, known);
  if (typeof opened === "string") return opened;
  const [origin = "", size = "", root = "", ...extensions] = opened.text.split("\n");
  const bytes = Buffer.from(root, "base64");
  const isOne =
    origin !== "" &&
    /^(0|[1-9]\d{0,15})$/.test(size) &&
    Number.isSafeInteger(Number(size)) &&
    bytes.length === hashLength &&
    bytes.toString("base64") === root &&
    extensions.at(-1) === "" &&
    extensions.slice(0, -1).every((line) => line !== "");
  return isOne ? { origin, size: Number(size), root: bytes } : "it is a signed note, but no checkpoint of a log";
};
