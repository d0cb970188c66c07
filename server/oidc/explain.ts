/** What went wrong with a provider, in words for the person who waits; nothing of tokens, codes or secrets. */

import * as openid from "openid-client";
import type { OidcSource } from "../model/config.ts";
import { SignInFailure } from "../model/person.ts";
import { quote } from "../model/quote.ts";

export function explain({ name, issuer }: OidcSource, error: unknown): SignInFailure {
  if (error instanceof SignInFailure) return error;
  if (error instanceof openid.AuthorizationResponseError)
    return new SignInFailure("refused", denied(name, error.error));
  if (error instanceof openid.ResponseBodyError) return new SignInFailure("refused", notTaken(name, error.error));
  if (error instanceof openid.WWWAuthenticateChallengeError)
    return new SignInFailure(
      "refused",
      `the provider ${name} does not accept its own token, or not this gateway (check clientId and clientSecret)`,
    );
  if (error instanceof openid.ClientError && isAboutAnswer(error))
    return new SignInFailure("refused", `what the provider ${name} sent is not believed: ${wordsOf(error)}`);
  // Everything else is the network's, or a document that is none.
  return new SignInFailure(
    "unreachable",
    `the provider ${name} (${new URL(issuer).origin}) could not be reached, or does not answer as a provider does`,
  );
}

const denied = (name: string, error: string): string =>
  error === "access_denied"
    ? `you did not agree on ${name}'s page, or may not use this gateway`
    : `the provider ${name} said ${quote(error)}`;

/** RFC 6749 §5.2 */
const notTaken = (name: string, error: string): string => {
  switch (error) {
    case "invalid_grant":
      return `the provider ${name} does not accept the code that the browser brought: it was used before, is too old, or is another's`;
    case "invalid_client":
    case "unauthorized_client":
      return `the provider ${name} does not accept this gateway: check clientId and clientSecret in signIn.oidc`;
    default:
      return `the provider ${name} said ${quote(error)}`;
  }
};

const isAboutAnswer = ({ code }: openid.ClientError): boolean =>
  code !== undefined && /^OAUTH_(INVALID_RESPONSE|JWT_|JSON_ATTRIBUTE|KEY_SELECTION|UNSUPPORTED|MISSING)/.test(code);

/** The library's sentences name claims and headers, never their values. */
const wordsOf = ({ message, cause }: Error): string =>
  quote((cause instanceof Error ? cause.message : message).replaceAll('"', "").slice(0, 120));
