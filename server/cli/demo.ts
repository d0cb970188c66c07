/** `dogwatch demo`: a gateway, a sandbox Datadog and one sample job on this machine, with nothing to configure. */

import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { styleText } from "node:util";
import type { Reply } from "../demo/conversation.ts";
import { type Played, type Scene, openScene } from "../demo/play.ts";
import { plain } from "../demo/summaryText.ts";
import { reportStart } from "./explain.ts";
import { stopOnSignal } from "./stop.ts";

export type DemoOptions = { readonly once?: true; readonly answer?: Reply };

/** Where nobody sits, nobody would answer: a job that is played once gets its answer from the stand-in. */
export async function demo({ once, answer }: DemoOptions): Promise<void> {
  const opening = openScene({
    dataDir: "data",
    reply: answer ?? (once === undefined ? "none" : "approve"),
    print: (line) => process.stdout.write(`${line}\n`),
    style: process.stdout.isTTY ? styleText : plain,
  });
  const close = async (): Promise<void> => (await opening).close();
  stopOnSignal(async () => {
    if (once === undefined) process.stdout.write("\nStopping. The recordings stay in data/ for the next start.\n");
    await close();
  });
  try {
    const scene = await opening;
    const played = await scene.play();
    if (once === undefined) return stay(scene, played);
    await close();
    process.exit(played.exitCode);
  } catch (error) {
    reportStart(error, { file: "data/demo.yaml", elsewhere: "remove data/ with all its recordings" });
  }
}

/** Until Ctrl-C. At a keyboard the job can be played again, so that a changed rule can be seen to work. */
function stay(scene: Scene, first: Played): void {
  const again = hasKeyboard();
  const show = ({ links }: Played): void => {
    if (links.length === 0) return;
    const hint = again ? "Change a rule in data/demo.yaml and press Enter to play the job again. " : "";
    process.stdout.write(`\n${links.join("\n")}\n\n${hint}Ctrl-C stops it.\n`);
  };
  show(first);
  if (!again) return;
  let idle = true;
  createInterface({ input: process.stdin, terminal: false }).on("line", async () => {
    if (!idle) return;
    idle = false;
    try {
      show(await scene.play());
    } catch (error) {
      process.stderr.write(`dogwatch: ${String(error)}\n`);
    }
    idle = true;
  });
}

/** A program in the background that reads from its terminal is suspended by it: `npm start &` must go on. */
function hasKeyboard(): boolean {
  if (!process.stdin.isTTY) return false;
  try {
    const stat = readFileSync("/proc/self/stat", "latin1");
    const [, , group, , , foreground] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return group === foreground;
  } catch {
    return true;
  }
}
