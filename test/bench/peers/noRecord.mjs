/** Makes a gateway that records nothing, to measure what recording costs: its sink says yes and forgets. For benchmarks, and not in the product. */

import { registerHooks } from "node:module";

registerHooks({
  resolve(specifier, context, next) {
    const resolved = next(specifier, context);
    return resolved.url.endsWith("/server/store/sink.ts")
      ? { ...resolved, url: new URL("noSink.ts", import.meta.url).href }
      : resolved;
  },
});
