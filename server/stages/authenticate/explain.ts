/** Why a token was not verified, as one of our codes with the claim that failed and what was expected. */

import { errors } from "jose";
import { refuseToken, type TokenRefusal } from "../../errors.ts";
import type { Issuer } from "../../model/config.ts";
import { quote } from "../../model/quote.ts";

/** @throws what it does not know: a breakage is not the caller's fault. */
export const explainFailure = (error: unknown, issuer: Issuer, now: Date): TokenRefusal => {
  if (error instanceof errors.JWTExpired)
    return error.claim === "exp" && typeof error.payload.exp === "number"
      ? refuseToken(
          "token_expired",
          `exp was ${secondsBetween(error.payload.exp, now)} s ago; ask the issuer for a new token`,
        )
      : refuseToken("token_expired", "the token is too old; ask the issuer for a new one");
  if (error instanceof errors.JWTClaimValidationFailed) return explainClaim(error, issuer, now);
  if (error instanceof errors.JWSSignatureVerificationFailed)
    return refuseToken("signature_invalid", `the signature is not one of issuer ${issuer.name}'s key that kid names`);
  if (error instanceof errors.JOSEAlgNotAllowed)
    return refuseToken("algorithm_refused", `alg is not one of ${issuer.algorithms.join(", ")}`);
  if (error instanceof errors.JOSEError)
    return refuseToken("token_malformed", "subject_token is not a JWT we can verify");
  // jose refuses keys that are too short with a TypeError.
  if (error instanceof TypeError)
    return refuseToken("key_unknown", `the key that kid names cannot be used with ${issuer.algorithms.join(", ")}`);
  throw error;
};

const explainClaim = (error: errors.JWTClaimValidationFailed, issuer: Issuer, now: Date): TokenRefusal => {
  const { claim, payload, reason } = error;
  if (claim === "aud")
    return refuseToken("audience_mismatch", `aud is ${quote(payload.aud)}, expected ${quote(issuer.audience)}`);
  if (claim === "nbf" && reason === "check_failed" && typeof payload.nbf === "number")
    return refuseToken(
      "token_early",
      `nbf is ${-secondsBetween(payload.nbf, now)} s in the future; check the clocks of issuer and gateway`,
    );
  return refuseToken(
    "token_malformed",
    `claim ${claim} is ${quote(payload[claim])}, which is not what RFC 7519 makes of it`,
  );
};

/** Rounded; positive when `seconds` has passed. */
const secondsBetween = (seconds: number, now: Date): number => Math.round(now.getTime() / 1000 - seconds);
