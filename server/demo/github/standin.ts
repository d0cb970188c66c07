/**
 * A stand-in for GitHub on this machine: its API, its webhooks, its pages and its identity tokens, with a memory. Tests and `npm start` use it.
 *
 * API under `{url}/api/v3`, as on GitHub Enterprise Server; web pages under `{url}`; the issuer of Actions' identity tokens is `{url}`.
 */

import type { AddressInfo } from "node:net";
import { Accounts } from "./accounts.ts";
import { Door } from "./api/door.ts";
import { Apps } from "./apps.ts";
import { Checks } from "./checks.ts";
import { Comments } from "./comments.ts";
import { Deliveries } from "./deliveries.ts";
import { Faults } from "./faults.ts";
import type { Announce } from "./happenings.ts";
import { Ids } from "./ids.ts";
import { type DemoJob, type IdTokenAccess, Issuer } from "./issuer.ts";
import { Limits } from "./limits.ts";
import { Person } from "./person.ts";
import { Pulls } from "./pulls.ts";
import { Repositories } from "./repositories.ts";
import type { Asked, Exchange } from "./requests.ts";
import { Runs } from "./runs.ts";
import { type Surfaces, createPort } from "./server.ts";
import { tellApps } from "./tell.ts";
import { Visitors } from "./visitors.ts";
import { Web } from "./web/visit.ts";
import type { World } from "./world.ts";

export type GitHubOptions = {
  readonly clock: () => Date;
  /** 0 takes any free one; a fixed one keeps the issuer's name from start to start. */
  readonly port?: number;
  /** Hears every request to the API with its answer, whole: `test/standins/githubSpec.ts` checks them. */
  readonly onExchange?: (exchange: Exchange) => void;
  /** Hears of everything that is written, pushed, run and pressed, when it is done. */
  readonly onHappening?: Announce;
};

export type GitHubStandin = Omit<World, "ids" | "clock"> & {
  /** Exact `iss` of its identity tokens: its `url`. */
  readonly issuer: string;
  /** Lets a job ask for identity tokens; `runs.claims` says what a run's job has. */
  grant(job: DemoJob): IdTokenAccess;
  readonly limits: Limits;
  readonly faults: Faults;
  readonly visitors: Visitors;
  /** Everything the API was asked, in order. */
  readonly requests: readonly Asked[];
  /** Somebody at a keyboard. @throws Error when there is no such user */
  as(login: string): Person;
  close(): Promise<void>;
};

export async function startGitHub(options: GitHubOptions): Promise<GitHubStandin> {
  const { clock, port = 0, onExchange = () => undefined } = options;
  const joined: { surfaces?: Surfaces } = {};
  const server = createPort(() => {
    if (joined.surfaces === undefined) throw new Error("asked before it was ready");
    return joined.surfaces;
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const world = createWorld(url, options);
  const visitors = new Visitors(clock);
  const limits = new Limits(clock);
  const faults = new Faults();
  const issuer = await Issuer.create(url, clock);
  const requests: Asked[] = [];
  joined.surfaces = {
    door: new Door({ world, visitors, limits }),
    web: new Web({ world, visitors }),
    issuer,
    faults,
    clock,
    requests,
    onExchange,
  };
  const { ids: _ids, clock: _clock, ...nouns } = world;
  return {
    ...nouns,
    issuer: url,
    grant: (job) => issuer.grant(job),
    limits,
    faults,
    visitors,
    requests,
    as: (login) => new Person(world, world.accounts.named(login)),
    close: () =>
      new Promise((resolve) => {
        world.deliveries.close();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function createWorld(url: string, { clock, onHappening }: GitHubOptions): World {
  const ids = new Ids(clock);
  const accounts = new Accounts(ids, clock);
  // What happens is told with words that need the whole world.
  const announce: Announce = (happening, by) => {
    tellApps(world)(happening, by);
    onHappening?.(happening, by);
  };
  const pulls = new Pulls({ ids, accounts, clock, announce });
  const world: World = {
    url,
    apiUrl: `${url}/api/v3`,
    clock,
    ids,
    accounts,
    repositories: new Repositories(ids, accounts, clock),
    pulls,
    runs: new Runs({ ids, accounts, clock }),
    comments: new Comments({ ids, pulls, clock, announce }),
    checks: new Checks({ ids, clock, announce }),
    apps: Apps.create({ ids, accounts, clock, announce }),
    deliveries: new Deliveries(ids, clock),
  };
  return world;
}
