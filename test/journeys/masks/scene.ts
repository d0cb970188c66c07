/** A gateway with masks before a Datadog that remembers what was put: what a session reads, it can write back. */

import { type Received, send } from "../../standins/send.ts";
import { headerOf, type ReceivedRequest, type UpstreamAnswer } from "../../standins/upstream.ts";
import { type World, startWorld } from "../../standins/world.ts";

export const json = ["Content-Type", "application/json"] as const;

/** The path is the resource; what it holds comes back byte for byte. */
export const remembering =
  (things: Map<string, Buffer>) =>
  (request: ReceivedRequest): UpstreamAnswer => {
    const [path = ""] = request.url.split("?");
    if (request.method === "PUT" || request.method === "POST") things.set(path, request.body);
    const body = things.get(path);
    return body === undefined
      ? { status: 404, headers: [json], body: '{"errors":["not found"]}' }
      : { status: 200, headers: [json, ["Content-Length", String(body.length)]], body };
  };

export const masks = `
  masks:
    - { name: personal-data, detect: [personal, secret], fields: ["$..custom_headers", "$..secret_note"] }`;

export const startMasking = (things: Map<string, Buffer>, more = masks): Promise<World> =>
  startWorld(remembering(things), { more, tokens: tokensOfTests });

export const adminToken = "admin-token-of-the-tests-0123456789";
const tokensOfTests =
  "[{ name: tests, role: auditor, token: auditor-token-of-the-tests-0123456789 }, { name: root, role: admin, token: admin-token-of-the-tests-0123456789 }]";

/** One session's calls. */
export class Agent {
  readonly id: string;
  readonly #url: string;
  readonly #token: string;
  constructor(url: string, { session_id, access_token }: { session_id: string; access_token: string }) {
    this.id = session_id;
    this.#url = url;
    this.#token = access_token;
  }

  get(target: string): Promise<Received> {
    return this.#send("GET", target);
  }

  put(target: string, body: string | Buffer, headers: readonly (readonly [string, string])[] = []): Promise<Received> {
    return this.#send("PUT", target, { body: Buffer.from(body), headers });
  }

  /** To an intake, whose paths are no API's. */
  submit(target: string, body: Buffer, headers: readonly (readonly [string, string])[]): Promise<Received> {
    return send(this.#url, { method: "POST", target, headers: [["DD-API-KEY", this.#token], json, ...headers], body });
  }

  post(target: string, body: string | Buffer, headers: readonly (readonly [string, string])[] = []): Promise<Received> {
    return this.#send("POST", target, { body: Buffer.from(body), headers });
  }

  #send(
    method: string,
    target: string,
    sent: { readonly body?: Buffer; readonly headers?: readonly (readonly [string, string])[] } = {},
  ): Promise<Received> {
    const { body, headers = [] } = sent;
    return send(this.#url, {
      method,
      target: `/api${target.replace(/^\/api/, "")}`,
      headers: [["DD-API-KEY", this.#token], json, ...headers],
      ...(body !== undefined && { body }),
    });
  }
}

export const openAgent = async (world: World): Promise<Agent> => new Agent(world.url, await world.openSession());

export const tokenIn = (text: string, kind: string): string => {
  const [token] =
    new RegExp(`(?:https://masked\\.invalid/)?dwm_${kind}_[\\w-]+(?:@masked\\.invalid)?`).exec(text) ?? [];
  if (token === undefined) throw new Error(`no token of kind ${kind} in ${text}`);
  return token;
};

/** As admin, or as the token says. */
export const ask = async (
  world: World,
  path: string,
  { body, token = adminToken }: { readonly body: object; readonly token?: string },
): Promise<{ readonly status: number; readonly json: unknown }> => {
  const response = await fetch(`${world.url}${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return { status: response.status, json: await response.json() };
};

/** Serves a text in the ranges that are asked for (RFC 9110 §14). */
export const inRanges =
  (body: string) =>
  (request: ReceivedRequest): UpstreamAnswer => {
    const [, from, to] = /bytes=(\d+)-(\d+)/.exec(headerOf(request, "range") ?? "") ?? [];
    if (from === undefined) return { status: 200, headers: [["Content-Type", "text/plain"]], body };
    const part = body.slice(Number(from), Number(to) + 1);
    return {
      status: 206,
      headers: [
        ["Content-Type", "text/plain"],
        ["Content-Range", `bytes ${from}-${to}/${body.length}`],
        ["Content-Length", String(part.length)],
      ],
      body: part,
    };
  };

/** Asks for `length` bytes in ranges of eight, and puts the answers together. */
export const readInRanges = async (url: string, token: string, length: number): Promise<string> => {
  let read = "";
  for (let from = 0; from < length; from += 8) {
    const answer = await send(url, {
      target: "/api/v1/monitor/17",
      headers: [
        ["DD-API-KEY", token],
        ["Range", `bytes=${from}-${from + 7}`],
      ],
    });
    read += answer.body.toString();
  }
  return read;
};
