/** What a page asks again and again by itself while it shows questions: whether anything that its reader sees has changed. */

import { createHash } from "node:crypto";
import { type Reader, seesEverything } from "../history.ts";
import { concerns, type ReadParts } from "./read.ts";

/** Another one whenever something changes that the reader sees, and never for anything else; null for who is shown no list. */
export async function versionOfApprovals(
  { store, repositories }: Pick<ReadParts, "store" | "repositories">,
  reader: Reader,
): Promise<string | null> {
  const sees = seesEverything(reader) === null;
  if (!sees && reader.kind !== "person") return null;
  const version = createHash("sha256");
  for (const standing of await store.standings()) {
    const { id, state, answers } = standing;
    const seen =
      sees ||
      (reader.kind === "person" &&
        (await concerns(reader.person, standing, (of) => repositories.mayReadLately(reader.person, of))));
    if (seen) version.update(`${id} ${state} ${answers}\n`);
  }
  return version.digest("base64url");
}
