/** Reading the policies that decided: whoever may see every recording may see the rules behind them. */

import { refuseApi, type ApiRefusal } from "../errors.ts";
import { type Reader, seesEverything } from "./history.ts";

export type KeptPolicy = {
  /** SHA-256 (hex). */
  readonly digest: string;
  /** JSON of `{observe, rules}`. */
  readonly source: string;
  readonly first_in_force: Date;
};

export type PolicyParts = { readonly policies: { get(digest: string): Promise<KeptPolicy | null> } };

export async function readPolicy(
  { policies }: PolicyParts,
  reader: Reader,
  digest: string,
): Promise<KeptPolicy | ApiRefusal> {
  const refusal = seesEverything(reader);
  if (refusal !== null) return refusal;
  return (await policies.get(digest)) ?? refuseApi("not_found", `no policy ${digest} was ever in force`);
}
