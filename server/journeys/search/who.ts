/** Who finds what: everything, the calls of the repositories that GitHub lets somebody read, or nothing whatever is asked. */

import { isSeer, type Reader } from "../history.ts";

export type Finds = "everything" | "repositories" | "nothing";

/** For pages, which say so before anybody asks; what is found is decided by `scopeOf`, whatever is said here. */
export const findsOf = (reader: Reader): Finds => {
  switch (reader.kind) {
    case "session":
      return "nothing";
    case "access":
      return isSeer(reader.role) ? "everything" : "nothing";
    case "person": {
      if (isSeer(reader.person.role)) return "everything";
      // Of others nobody knows what GitHub lets them read.
      return reader.person.provider === "github" ? "repositories" : "nothing";
    }
    default:
      return reader satisfies never;
  }
};
