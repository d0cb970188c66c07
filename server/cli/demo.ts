/** `dogwatch demo`: a gateway, a sandbox Datadog and one sample job on this machine, with nothing to configure. */

import { playDemo } from "../demo/play.ts";
import { stopOnSignal } from "./serve.ts";

export async function demo({ once }: { readonly once?: true }): Promise<void> {
  const scene = await playDemo({ dataDir: "data", print: (line) => process.stdout.write(`${line}\n`) });
  if (once === undefined) {
    stopOnSignal(scene.close);
    return;
  }
  await scene.close();
  process.exitCode = scene.exitCode;
}
