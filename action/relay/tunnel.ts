/** Carries a connection to any host that is not Datadog's, untouched, through the proxy the job already had. */

import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { ProxyVariables } from "../network.ts";
import { decoded } from "./slots.ts";

export type Place = { readonly host: string; readonly port: number };

/** `host:port` of a CONNECT request (RFC 9110 §9.3.6), IPv6 in brackets. */
export const parsePlace = (authority: string): Place | undefined => {
  const parsed = /^(\[[0-9a-f:.]+\]|[^:/@\s[\]]+):(\d{1,5})$/i.exec(authority);
  const port = Number(parsed?.[2]);
  if (!parsed || port < 1 || port > 65_535) return undefined;
  return { host: (parsed[1] as string).toLowerCase().replace(/^\[|\]$/g, ""), port };
};

/** The proxy for a TLS connection to a place, as curl and Go read the variables. */
export const proxyFor = (place: Place, variables: ProxyVariables): URL | undefined => {
  const proxy = variables["https_proxy"] ?? variables["HTTPS_PROXY"];
  if (!proxy || isExempt(place, variables["no_proxy"] ?? variables["NO_PROXY"] ?? "")) return undefined;
  return URL.parse(proxy.includes("://") ? proxy : `http://${proxy}`) ?? undefined;
};

const isExempt = ({ host, port }: Place, list: string): boolean =>
  list.split(/[\s,]+/).some((entry) => {
    const named = /^(.*?)(?::(\d+))?$/.exec(entry.toLowerCase());
    if (!named?.[1] || (named[2] !== undefined && Number(named[2]) !== port)) return false;
    if (named[1] === "*") return true;
    const suffix = named[1].replace(/^\*?\./, "");
    return host === suffix || host.endsWith(`.${suffix}`);
  });

/** Joins `client` with the place it asked for. Answers the CONNECT itself, for only it knows how that went. */
export const tunnel = (client: Duplex, place: Place, variables: ProxyVariables): void => {
  const refuse = (status: string) => client.end(`HTTP/1.1 ${status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
  client.on("error", () => client.destroy());
  const proxy = proxyFor(place, variables);
  if (proxy) return throughProxy(client, { place, proxy, refuse });
  const upstream = connect(place.port, place.host);
  upstream.once("error", () => refuse("502 Bad Gateway"));
  upstream.once("connect", () => join(client, upstream));
};

type Through = { readonly place: Place; readonly proxy: URL; readonly refuse: (status: string) => void };

const throughProxy = (client: Duplex, { place, proxy, refuse }: Through): void => {
  const authority = `${place.host.includes(":") ? `[${place.host}]` : place.host}:${place.port}`;
  const credentials = `${decoded(proxy.username)}:${decoded(proxy.password)}`;
  const request = (proxy.protocol === "https:" ? httpsRequest : httpRequest)({
    host: proxy.hostname.replace(/^\[|\]$/g, ""),
    port: proxy.port || (proxy.protocol === "https:" ? 443 : 80),
    method: "CONNECT",
    path: authority,
    headers: {
      host: authority,
      ...(proxy.username ? { "proxy-authorization": `Basic ${Buffer.from(credentials).toString("base64")}` } : {}),
    },
    agent: false,
  });
  request.once("error", () => refuse("502 Bad Gateway"));
  request.once("connect", (answer, upstream: Socket, head) => {
    if (answer.statusCode !== 200) {
      upstream.destroy();
      return refuse(`502 Proxy said ${answer.statusCode}`);
    }
    upstream.unshift(head);
    join(client, upstream);
  });
  client.once("close", () => request.destroy());
  request.end();
};

const join = (client: Duplex, upstream: Socket): void => {
  upstream.setNoDelay(true);
  client.write("HTTP/1.1 200 Connection Established\r\n\r\n");
  upstream.removeAllListeners("error");
  upstream.on("error", () => client.destroy());
  client.once("close", () => upstream.destroy());
  upstream.once("close", () => client.end());
  client.pipe(upstream).pipe(client);
};
