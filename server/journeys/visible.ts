/** Which sessions people see who do not see everything: those of repositories that GitHub lets them read. */

import { type ApiRefusal, isApiRefusal } from "../errors.ts";
import type { RepositoryRef } from "../model/github.ts";
import type { Caller } from "../model/caller.ts";
import { homeOf } from "../model/ownCaller.ts";
import type { Person } from "../model/person.ts";
import type { Session } from "../model/session.ts";
import { claimedRepository, isOfServer } from "./approval/claimed.ts";
import type { Page, PageRequest } from "./history.ts";
import { type AskedRepositoryAccess, onceEach, type RepositoryAccess } from "./repositoryAccess.ts";

export interface VisibleSessions {
  /** GitHub is asked now. */
  sees(person: Person, session: Session): Promise<boolean>;
  /** GitHub was asked within the last minute, or is asked now. */
  seesLately(person: Person, session: Session): Promise<boolean>;
  /** Of what was found, what they see: GitHub is asked now, once about each repository. */
  seenOf<T extends Pick<Session, "caller">>(person: Person, found: readonly T[]): Promise<readonly T[]>;
  /** Newest first; a page may hold fewer than asked for. */
  list(person: Person, page: PageRequest): Promise<Page<Session> | ApiRefusal>;
  /**
   * `sessions.repository` of all that they see, as GitHub said within the last minute: for whatever looks through many sessions (lists, searches,
   * counts, completions). Who sees everything is not asked about here.
   */
  scope(person: Person): Promise<readonly string[]>;
}

export type VisibleParts = {
  readonly sessions: {
    list(page: PageRequest & { readonly repositories: readonly string[] }): Promise<Page<Session> | ApiRefusal>;
    /** The newest caller of each repository that ever opened a session, those used last first. */
    newestCallers(most: number): Promise<readonly { readonly repository: string; readonly caller: Caller }[]>;
  };
  readonly access: RepositoryAccess;
  /** Of the App; null without one: then nobody is known to may anything. */
  readonly apiUrl: string | null;
};

/** Repositories that GitHub is asked about for a list; whoever has more finds a session of the others by its address. */
const mostRepositories = 300;
/** Asked at the same time. */
const abreast = 8;

export function createVisibleSessions({ sessions, access, apiUrl }: VisibleParts): VisibleSessions {
  const refOf = (caller: Caller): RepositoryRef | null => repositoryOf(caller, apiUrl);

  const reads = async (person: Person, caller: Caller, ask: keyof RepositoryAccess): Promise<boolean> => {
    const of = person.provider === "github" ? refOf(caller) : null;
    return of !== null && access[ask](person, of);
  };

  const scope = async (person: Person): Promise<readonly string[]> => {
    if (person.provider !== "github" || apiUrl === null) return [];
    const known = await sessions.newestCallers(mostRepositories);
    const readable: string[] = [];
    for (let i = 0; i < known.length; i += abreast) {
      const asked = known.slice(i, i + abreast);
      const answers = await Promise.all(asked.map(({ caller }) => reads(person, caller, "mayReadLately")));
      readable.push(...asked.filter((_, at) => answers[at]).map(({ repository }) => repository));
    }
    return readable;
  };

  const seenOf = async <T extends Pick<Session, "caller">>(person: Person, found: readonly T[]) => {
    const now = onceEach(access);
    const may = await Promise.all(
      found.map(async ({ caller }) => {
        const of = person.provider === "github" ? refOf(caller) : null;
        return of !== null && (await now.mayRead(person, of));
      }),
    );
    return found.filter((_, i) => may[i]);
  };

  return {
    seenOf,
    sees: (person, { caller }) => reads(person, caller, "mayRead"),
    seesLately: (person, { caller }) => reads(person, caller, "mayReadLately"),
    scope,
    list: async (person, page) => {
      const repositories = await scope(person);
      if (repositories.length === 0) return { items: [], next_cursor: null };
      const found = await sessions.list({ ...page, repositories });
      if (isApiRefusal(found)) return found;
      // Who lost access a moment ago is shown nothing of it.
      return { ...found, items: await seenOf(person, found.items) };
    },
  };
}

/** Where a session belongs: what a person had done about one is seen by those who see that one. `apiUrl`: of the App. */
function repositoryOf(caller: Caller, apiUrl: string | null): RepositoryRef | null {
  const { issuer, claims } = homeOf(caller);
  return apiUrl !== null && isOfServer(issuer, apiUrl) ? claimedRepository(claims) : null;
}

/** Whether somebody may change what is in the repository that a session belongs to: GitHub is asked now. */
export const writersOf =
  ({ access, apiUrl }: { readonly access: Pick<AskedRepositoryAccess, "mayWrite">; readonly apiUrl: string | null }) =>
  async (person: Person, { caller }: Pick<Session, "caller">): Promise<boolean> => {
    const of = person.provider === "github" ? repositoryOf(caller, apiUrl) : null;
    return of !== null && access.mayWrite(person, of);
  };
