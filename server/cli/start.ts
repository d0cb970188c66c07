/** What `npm start` does: serve the dogwatch.yaml that is there, or play the demo where there is none. */

import { existsSync } from "node:fs";
import { defaultFile } from "./check.ts";
import { type DemoOptions, demo } from "./demo.ts";
import { serve } from "./serve.ts";

export const start = (options: DemoOptions): Promise<void> =>
  existsSync(defaultFile) && options.once === undefined && options.answer === undefined
    ? serve(defaultFile, process.env)
    : demo(options);
