/** Some of the journeys again, at two gateways on one database; all of them: `npm run soak -- replicas`. */

import { vi } from "vitest";
import "./policy.test.ts";
import "./approval/between.test.ts";
import "./masks/writeBack.test.ts";
import "./search/found.test.ts";

// Before the imports above, whose gateways it is read for.
vi.hoisted(() => {
  process.env["DOGWATCH_TEST_REPLICAS"] = "2";
});
