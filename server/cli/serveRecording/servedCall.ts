/** What is served of a recorded call, in whichever form an export has it; what stands beside it is for other readers. */

import { z } from "zod";
import { call, headers } from "../../contract.ts";

/** `body`: as the form has one that is there. */
export const servedCall = <T extends z.ZodType>(body: T) => {
  const message = z.object({ headers, body: body.nullable() });
  return call
    .pick({
      session_id: true,
      operation: true,
      access: true,
      method: true,
      host: true,
      path: true,
      query: true,
      state: true,
    })
    .extend({
      n: z.int().min(1),
      status: z.int().min(200).max(599).nullable(),
      request: message,
      response: message.nullable(),
    });
};
