/** GitHub's real issuer is trusted by its https address: discovery, keys and claims as GitHub publishes them, with GitHub at the far side. */

import { exportJWK, generateKeyPair, SignJWT } from "jose";
import nock from "nock";
import { afterEach, expect, test } from "vitest";
import { identify, trustIssuer } from "../../server/stages/authenticate/identify.ts";
import { githubClaims } from "../standins/issuer.ts";

const issuer = "https://token.actions.githubusercontent.com";
const audience = "https://dogwatch.example.com";

afterEach(() => {
  nock.cleanAll();
  nock.enableNetConnect();
});

test("asks GitHub for its keys once, at the place its discovery document names, and believes what they signed", async () => {
  nock.disableNetConnect();
  const { privateKey, publicKey } = await generateKeyPair("RS256");
  const key = { ...(await exportJWK(publicKey)), kid: "38826b17", alg: "RS256", use: "sig", x5t: "of a certificate" };
  const github = nock(issuer)
    .get("/.well-known/openid-configuration")
    .once()
    .reply(200, { issuer, jwks_uri: `${issuer}/.well-known/jwks`, id_token_signing_alg_values_supported: ["RS256"] })
    .get("/.well-known/jwks")
    .once()
    .reply(200, { keys: [key] });
  const trusted = trustIssuer(
    { name: "github", issuer, audience, allow: "true", events: [], algorithms: ["RS256"], kind: "github" },
    () => true,
    { fetch, clock: () => new Date() },
  );
  const sign = (jti: string): Promise<string> =>
    new SignJWT({ ...githubClaims, jti })
      .setProtectedHeader({ alg: "RS256", typ: "JWT", kid: "38826b17" })
      .setIssuer(issuer)
      .setAudience(audience)
      .setIssuedAt()
      .setExpirationTime("5m")
      .sign(privateKey);

  for (const jti of ["one", "two"])
    expect(await identify([trusted], await sign(jti))).toMatchObject({
      caller: { issuer, claims: { repository: "acme/app" } },
    });
  expect(github.isDone()).toBe(true);
});
