/** The way out of this machine: agents that honour the proxy the job already had, and one small bounded request. */

import * as http from "node:http";
import * as https from "node:https";

/** The proxy variables of a job, before Dogwatch adds its own. */
export type ProxyVariables = Readonly<Record<string, string>>;

export const proxyNames = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "NO_PROXY", "no_proxy"] as const;

export const proxyVariablesOf = (env: NodeJS.ProcessEnv): ProxyVariables =>
  Object.fromEntries(proxyNames.flatMap((name) => (env[name] ? [[name, env[name]]] : [])));

export type Network = {
  readonly proxies: ProxyVariables;
  agentFor(url: URL): http.Agent;
  close(): void;
};

/** Below the shortest keep-alive limit in common use (Node's 5 s), so that a reused connection is not one the server is about to close. */
const idle = 4_000;

export const createNetwork = (proxies: ProxyVariables): Network => {
  const options = { keepAlive: true, timeout: idle };
  const direct = { "http:": new http.Agent(options), "https:": new https.Agent(options) };
  const proxied = proxiedAgent(options, proxies);
  return {
    proxies,
    agentFor(url) {
      if (url.protocol !== "https:") return direct["http:"];
      return isLoopback(url.hostname) ? direct["https:"] : proxied;
    },
    close() {
      for (const agent of [direct["http:"], direct["https:"], proxied]) agent.destroy();
    },
  };
};

/** The proxy that the job already had is no address. */
export class ProxyProblem extends Error {}

const proxiedAgent = (options: https.AgentOptions, proxies: ProxyVariables): https.Agent => {
  try {
    return new https.Agent({ ...options, proxyEnv: proxies });
  } catch (error) {
    const message = "HTTPS_PROXY of this job is not a URL: percent-encode what is special in its user and password";
    throw new ProxyProblem(message, { cause: error });
  }
};

export const isLoopback = (hostname: string): boolean =>
  hostname === "localhost" || hostname === "[::1]" || hostname === "::1" || /^127(\.\d{1,3}){3}$/.test(hostname);

export const requestOver = (url: URL, options: https.RequestOptions): http.ClientRequest =>
  url.protocol === "https:" ? https.request(url, options) : http.request(url, options);

export type Question = {
  readonly method: "GET" | "POST";
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Calls the question off. */
  readonly signal?: AbortSignal;
};

export type Answer = { readonly status: number; readonly headers: http.IncomingHttpHeaders; readonly text: string };

/** Longer than the gateway takes to answer a question that it may hold for 25 s. */
const patience = 35_000;
const longest = 16 * 1024 * 1024;

/** Asks once. Rejects when there is no answer within 35 s, or one over 16 MiB. */
export const ask = (network: Network, question: Question): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const { method, url, headers, body } = question;
    const limit = AbortSignal.timeout(patience);
    const signal = question.signal ? AbortSignal.any([limit, question.signal]) : limit;
    const sized = body === undefined ? headers : { ...headers, "content-length": String(Buffer.byteLength(body)) };
    const agent = network.agentFor(url);
    const outgoing = requestOver(url, { method, headers: sized, agent, signal });
    outgoing.once("error", reject);
    outgoing.once("response", (incoming) => {
      const chunks: Buffer[] = [];
      let size = 0;
      incoming.on("data", (chunk: Buffer) => {
        size += chunk.length;
        if (size > longest) outgoing.destroy(new Error(`the answer of ${url.host} is over ${longest} bytes`));
        else chunks.push(chunk);
      });
      incoming.once("error", reject);
      incoming.once("end", () =>
        resolve({
          status: incoming.statusCode ?? 0,
          headers: incoming.headers,
          text: Buffer.concat(chunks).toString(),
        }),
      );
    });
    outgoing.end(body);
  });
