/** A scene that is told to end before its job has begun. */

import { rmSync } from "node:fs";
import { expect, onTestFinished, test } from "vitest";
import { openScene } from "../../server/demo/play.ts";
import { plain } from "../../server/demo/summaryText.ts";
import { scratchFolder } from "../standins/scratch.ts";

test("nothing of the job goes on, or begins, when its scene has ended", { timeout: 120_000 }, async () => {
  const folder = scratchFolder("dogwatch-scene-");
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const scene = await openScene({ dataDir: folder, print: () => undefined, style: plain, reply: "none" });
  let isOver = false;
  const played = scene.play().finally(() => {
    isOver = true;
  });
  await scene.close();
  expect(isOver).toBe(true);
  expect(await played).toEqual({ exitCode: 1, links: [] });
});
