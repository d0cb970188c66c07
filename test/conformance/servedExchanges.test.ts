/** Every scenario that Datadog recorded of its own API, asked again in its order, is answered with the very answers. */

import { beforeEach, describe, expect, test } from "vitest";
import { doubleOf, type Said } from "../journeys/recorded/recorded.ts";
import { type Exchange, loadRecordings, type Recording, recordingsMissing } from "../standins/recordings.ts";

const recordings = loadRecordings();

const callOf = ({ request: { method, path, query } }: Exchange): string =>
  `${method} ${path}${query === "" ? "" : `?${query}`}`;

const saidOf = (exchange: Exchange): Said => {
  const { request, response } = exchange;
  return {
    call: callOf(exchange),
    status: response.status,
    ...(request.body.length > 0 && {
      sent: { content: request.body, ...(request.contentType !== null && { type: request.contentType }) },
    }),
    gave: { content: response.body },
    headers: response.headers,
  };
};

describe("the recorded scenarios", () => {
  beforeEach(({ skip }) => {
    if (recordings === null) skip(recordingsMissing);
  });

  const scenarios: readonly Recording[] = recordings ?? [];

  test("are answered in their order, each call by itself", { timeout: 240_000 }, async () => {
    const wrong: string[] = [];
    for (const { version, feature, scenario, exchanges } of scenarios) {
      const { ask, double } = await doubleOf(exchanges.map(saidOf), "exact");
      for (const [index, exchange] of exchanges.entries()) {
        const { body, contentType } = exchange.request;
        const told = await ask(callOf(exchange), {
          ...(body.length > 0 && { body, type: contentType ?? "application/json" }),
        });
        const isSame = told.status === exchange.response.status && told.body.equals(exchange.response.body);
        if (!isSame && told.n !== index + 1)
          wrong.push(`${version} ${feature}, ${scenario}, call ${index + 1}: ${told.text.slice(0, 300)}`);
      }
      if (double.asked.unasked.length > 0)
        wrong.push(`${version} ${feature}, ${scenario}: ${double.asked.unasked.length} never asked for`);
    }
    expect(wrong).toEqual([]);
    expect(scenarios.length).toBeGreaterThan(500);
  });
});
