/** A token that was altered anywhere is refused, whatever the alteration. */

import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Issuer } from "../../../server/model/config.ts";
import { identify, trustIssuer, type TrustedIssuer } from "../../../server/stages/authenticate/identify.ts";
import { githubClaims, startIssuer, type TestIssuer } from "../../standins/issuer.ts";

let issuer: TestIssuer;
let trusted: readonly TrustedIssuer[];
let token: string;
beforeAll(async () => {
  const now = new Date("2026-05-04T03:02:01.000Z");
  issuer = await startIssuer(() => now);
  const github: Issuer = {
    name: "github",
    issuer: issuer.url,
    audience: "dogwatch",
    allow: "",
    events: [],
    algorithms: ["RS256"],
    kind: "github",
  };
  trusted = [trustIssuer(github, () => true, { fetch, clock: () => now })];
  token = await issuer.sign({ ...githubClaims, aud: "dogwatch" });
});
afterAll(() => issuer.close());

test("the token itself is accepted", async () => {
  expect(await identify(trusted, token)).toHaveProperty("caller");
});

test("with a character replaced, left out or put in, it is not", async () => {
  // The last character carries bits that decode to nothing: a text that differs there is the same signature.
  const place = fc.integer({ min: 0, max: token.length - 2 });
  const character = fc.constantFrom(..."ABCxyz019-_.=+/ \n\u0000é".split(""));
  await fc.assert(
    fc.asyncProperty(place, fc.integer({ min: 0, max: 1 }), fc.option(character), async (at, cut, put) => {
      const altered = token.slice(0, at) + (put ?? "") + token.slice(at + cut);
      fc.pre(altered !== token);
      expect(await identify(trusted, altered)).toHaveProperty("code");
    }),
    { numRuns: 500 },
  );
});

test("arbitrary text is refused and never breaks anything", async () => {
  const part = fc.oneof(
    fc.base64String(),
    fc.json().map((text) => Buffer.from(text).toString("base64url")),
    fc.string(),
  );
  const text = fc.oneof(
    fc.string(),
    fc.array(part, { minLength: 2, maxLength: 5 }).map((parts) => parts.join(".")),
  );
  await fc.assert(
    fc.asyncProperty(text, async (garbage) => {
      expect(await identify(trusted, garbage)).toMatchObject({
        description: expect.stringMatching(/^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/),
      });
    }),
    { numRuns: 500 },
  );
});
