/** Sandboxes that are none: with a key of a live connection, or at its address. Replays go to sandboxes, so neither may be. */

import { createHash, timingSafeEqual } from "node:crypto";
import { hostsOf } from "../datadog/hosts.ts";
import { placeOf } from "../model/address.ts";
import type { Secret } from "../model/connection.ts";
import type { ConfigFile } from "./schema.ts";
import type { Located } from "./source.ts";

type Connection = ConfigFile["connections"][number];

export const sandboxesAsLive = ({ connections }: Pick<ConfigFile, "connections">): Located[] => {
  const live = connections.filter(({ kind }) => kind === "live");
  return connections.flatMap((connection, index) =>
    connection.kind === "sandbox" ? live.flatMap((other) => sameAs(connection, other, ["connections", index])) : [],
  );
};

const sameAs = (sandbox: Connection, live: Connection, path: Located["path"]): Located[] => [
  ...(["apiKey", "appKey"] as const).flatMap((key) =>
    isSame(live[key], sandbox[key])
      ? [
          {
            path: [...path, key],
            message: `is that of connection ${live.name} too, which is live: a sandbox needs keys of an organization of its own`,
          },
        ]
      : [],
  ),
  ...(sandbox.endpoint !== undefined && placesOf(live).has(placeOf(sandbox.endpoint))
    ? [
        {
          path: [...path, "endpoint"],
          message: `leads to where connection ${live.name} goes, which is live: a sandbox needs an address of its own`,
        },
      ]
    : []),
];

/** A sandbox without an endpoint goes to Datadog as live ones do: what keeps them apart is their keys. */
const placesOf = ({ endpoint, site }: Connection): ReadonlySet<string> =>
  new Set((endpoint === undefined ? hostsOf(site).map((host) => `https://${host}`) : [endpoint]).map(placeOf));

const isSame = (one: Secret, other: Secret): boolean => timingSafeEqual(digestOf(one), digestOf(other));

const digestOf = (secret: Secret): Buffer => createHash("sha256").update(secret.reveal()).digest();
