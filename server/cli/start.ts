/** What `npm start` does: serve the dogwatch.yaml that is there, or play the demo where there is none. */

import { existsSync } from "node:fs";
import { defaultFile } from "./check.ts";
import { demo } from "./demo.ts";
import { serve } from "./serve.ts";

export const start = (options: { readonly once?: true }): Promise<void> =>
  existsSync(defaultFile) && options.once === undefined ? serve(defaultFile, process.env) : demo(options);
