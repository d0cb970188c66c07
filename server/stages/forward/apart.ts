/**
 * Connections that never lead to where a live connection goes, by whatever name: addresses are looked up and compared at the moment of
 * connecting, and the one that was compared is the one that is connected to.
 */

import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { networkInterfaces } from "node:os";
import { buildConnector } from "undici";
import { placeAt, placeOf } from "../../model/address.ts";

/** All addresses of a host name, none where there is no such name. Rejects when that cannot be told. */
export type Resolve = (host: string) => Promise<readonly string[]>;

export type Apart = {
  readonly resolve: Resolve;
  /** `https://api.datadoghq.com`, …: where live connections go now. */
  live(): readonly string[];
  /** Addresses of this machine: a listener on all of them is reached by each. */
  here(): readonly string[];
};

export const addressesHere = (): readonly string[] =>
  Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address));

/** As the machine itself resolves names, its own list of hosts included. */
export const resolveHere: Resolve = async (host) => {
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOTFOUND") return [];
    throw error;
  }
};

/** Nothing is connected to. */
export class NotApart extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = "NotApart";
  }
}

/** @throws NotApart, also when it cannot be told */
export async function addressApart(origin: string, apart: Apart): Promise<string> {
  const { hostname } = new URL(origin);
  const port = portOf(origin);
  const place = placeHere(apart.here(), port);
  const [own, theirs] = await Promise.all([addressesOf(apart.resolve, hostname), livePlaces(apart, port, place)]);
  const [first] = own;
  if (first === undefined) throw new NotApart(`${hostname} has no address`);
  for (const address of own)
    if (theirs.has(place(address)))
      throw new NotApart(`${hostname} is at ${address}:${port}, which is where a live connection goes`);
  if (theirs.has(placeOf(origin))) throw new NotApart(`${origin} is where a live connection goes`);
  return first;
}

/** On another port there is another listener, so only those at the same one are asked about. */
async function livePlaces(
  { resolve, live }: Apart,
  port: number,
  place: (address: string) => string,
): Promise<ReadonlySet<string>> {
  const near = [...new Set(live().filter((origin) => portOf(origin) === port))];
  const addresses = await Promise.all(near.map((origin) => addressesOf(resolve, new URL(origin).hostname)));
  return new Set([...near.map(placeOf), ...addresses.flat().map(place)]);
}

const placeHere = (here: readonly string[], port: number): ((address: string) => string) => {
  const own = new Set(here.map((address) => placeAt(address, port)));
  return (address) => {
    const place = placeAt(address, port);
    return own.has(place) ? placeAt("127.0.0.1", port) : place;
  };
};

async function addressesOf(resolve: Resolve, hostname: string): Promise<readonly string[]> {
  const plain = hostname.replace(/^\[|\]$/g, "");
  if (isIP(plain) !== 0) return [plain];
  return resolve(plain).catch((error: unknown) => {
    throw new NotApart(`nobody can say where ${plain} is: ${error instanceof Error ? error.message : String(error)}`);
  });
}

const portOf = (origin: string): number => Number(placeOf(origin).split(":").at(-1));

/** For undici's pools. */
export function connectApart(apart: Apart, timeout: number): buildConnector.connector {
  const connect = buildConnector({ timeout, allowH2: false });
  return (options, callback) => {
    const { hostname, protocol, port } = options;
    const host = hostname.includes(":") && !hostname.startsWith("[") ? `[${hostname}]` : hostname;
    addressApart(`${protocol}//${host}:${port === "" ? (protocol === "https:" ? 443 : 80) : port}`, apart).then(
      (address) => connect({ ...options, hostname: address }, callback),
      (error: unknown) => callback(error instanceof Error ? error : new Error(String(error)), null),
    );
  };
}
