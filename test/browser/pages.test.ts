/** The pages in a real browser. What is tried is in the files beside; all of it shares one gateway, one recording and one browser. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findChromium } from "./chromium.ts";
import { errandPages } from "./errands.ts";
import { hostilePages } from "./hostile.ts";
import { livePages } from "./live.ts";
import { looks } from "./looks.ts";
import { searching } from "./searching.ts";
import { sessionPages } from "./sessions.ts";
import { openStage, patience, type Stage } from "./stage.ts";

const chromium = await findChromium();

test("the pages in a browser", (context) => {
  context.skip(chromium.program === null, chromium.why ?? "");
  expect(chromium.program).not.toBe("");
});

describe.skipIf(chromium.program === null).concurrent("in Chromium", () => {
  let opened: Stage | null = null;
  const stage = (): Stage => {
    if (opened === null) throw new Error("nothing is on the stage");
    return opened;
  };

  beforeAll(async () => {
    opened = await openStage(chromium.program ?? "");
  }, patience);
  afterAll(() => opened?.close(), patience);

  looks(stage);
  sessionPages(stage);
  livePages(stage);
  searching(stage);
  hostilePages(stage);
  errandPages(stage);
});
