/** Checks the log that an export shows: its checkpoint, its leaves, and whether each anchor is a beginning of it. */

import { timeOf } from "../../../model/uuidv7.ts";
import { type Checkpoint, openCheckpoint } from "../checkpoint.ts";
import { GrowingTree, hashLeaf, hashLength, rootFrom } from "../merkle.ts";
import type { NoteKey } from "../note.ts";
import type { SealLine, Shapes } from "../proofLines.ts";
import { leafOf } from "../chain.ts";
import type { Anchor } from "./anchor.ts";
import type { Findings, Report } from "./report.ts";

type Weighed = { readonly anchor: Anchor; readonly checkpoint: Checkpoint | null; consistent: boolean };

export class LogCheck {
  readonly #keys: readonly NoteKey[];
  readonly #findings: Findings;
  readonly #anchors: readonly Weighed[];
  readonly #tree = new GrowingTree();
  #checkpoint: Checkpoint | null = null;
  #done = false;
  /** Leaves up to here are vouched for by an anchor. */
  #anchored = 0;

  constructor(keys: readonly NoteKey[], anchors: readonly Anchor[], findings: Findings) {
    this.#keys = keys;
    this.#findings = findings;
    this.#anchors = anchors.map((anchor) => ({ anchor, checkpoint: this.#openAnchor(anchor), consistent: false }));
  }

  get checkpoint(): Checkpoint | null {
    return this.#checkpoint;
  }

  get anchored(): number {
    return this.#anchored;
  }

  get anchors(): Report["anchors"] {
    return this.#anchors.map(({ anchor: { name }, checkpoint, consistent }) => ({
      name,
      size: checkpoint?.size ?? null,
      consistent,
    }));
  }

  takeCheckpoint({ note }: Shapes["checkpoint"]): void {
    if (this.#checkpoint !== null) return this.#findings.add("file", "there is a second checkpoint in the file");
    const opened = openCheckpoint(note, this.#keys);
    if (typeof opened === "string") this.#findings.add("log", `the export's checkpoint cannot be used: ${opened}`);
    else this.#checkpoint = opened;
  }

  takeLeaves({ from, hashes }: Shapes["leaves"]): void {
    if (this.#done || from !== this.#tree.size)
      return this.#findings.add("log", `the leaves of the log are not in order at leaf ${from}`);
    for (let at = 0; at < hashes.length; at += hashLength) {
      this.#tree.add(hashes.subarray(at, at + hashLength));
      for (const weighed of this.#anchors)
        if (weighed.checkpoint?.size === this.#tree.size)
          weighed.consistent = weighed.checkpoint.root.equals(this.#tree.root());
    }
  }

  /** After the last leaf. */
  end(): void {
    if (this.#done) return;
    this.#done = true;
    if (this.#checkpoint === null) {
      if (this.#findings.all.length === 0) this.#findings.add("log", "there is no checkpoint in the file");
      return;
    }
    const { size, root } = this.#checkpoint;
    const isWhole = this.#tree.size === size && this.#tree.root().equals(root);
    if (!isWhole)
      this.#findings.add("log", `the leaves of the log are not those of the checkpoint of ${size} that was signed`);
    for (const weighed of this.#anchors) this.#weigh(weighed, this.#checkpoint, isWhole ? "whole" : "broken");
  }

  /** Sizes that the log had when a session of an anchor was at its end, and when that session began. */
  get known(): readonly { readonly size: number; readonly at: number }[] {
    return this.#anchors.flatMap(({ anchor: { sealed }, checkpoint, consistent }) =>
      sealed === null || checkpoint === null || !consistent
        ? []
        : [{ size: checkpoint.size, at: timeOf(sealed.session_id) }],
    );
  }

  /** Null when the seal of this session is in the log that was signed. */
  complaintAbout(id: string, seal: SealLine | null, proof: readonly Buffer[] | null): string | null {
    if (seal === null) return "it has no seal: nothing says that it is as it was recorded";
    if (seal.session_id !== id) return `its seal is that of session ${seal.session_id}`;
    if (this.#checkpoint === null) return "no signed checkpoint covers its seal";
    if (seal.log_index === null || proof === null) return "nothing shows that its seal is in the signed log";
    const { size, root } = this.#checkpoint;
    const found = rootFrom({ index: seal.log_index, size, leaf: hashLeaf(leafOf(seal)), proof });
    if (found?.equals(root) === true) return null;
    return `its seal is not leaf ${seal.log_index} of the log that was signed: the session, or its seal, was written anew`;
  }

  #openAnchor({ name, note }: Anchor): Checkpoint | null {
    const opened = openCheckpoint(note, this.#keys);
    if (typeof opened !== "string") return opened;
    this.#findings.add("anchor", `anchor ${name} cannot be used: ${opened}`);
    return null;
  }

  #weigh(weighed: Weighed, now: Checkpoint, leaves: "whole" | "broken"): void {
    const { anchor, checkpoint } = weighed;
    if (checkpoint === null) return;
    const complaint = this.#complaintAboutAnchor(checkpoint, now, weighed.consistent || checkpoint.size === 0);
    weighed.consistent = complaint === null && leaves === "whole";
    if (complaint !== null) this.#findings.add("anchor", `anchor ${anchor.name}: ${complaint}`);
    if (weighed.consistent) this.#anchored = Math.max(this.#anchored, checkpoint.size);
  }

  #complaintAboutAnchor(anchor: Checkpoint, now: Checkpoint, sameRoot: boolean): string | null {
    if (anchor.origin !== now.origin) return `it is of log ${anchor.origin}, and the export is of ${now.origin}`;
    if (anchor.size > now.size)
      return `it is of ${anchor.size} leaves and the export's log has ${now.size}: the log was cut back, or the export is older than the anchor`;
    return sameRoot
      ? null
      : `the log was forked: its first ${anchor.size} leaves in the export are not those that were signed in the anchor`;
  }
}
