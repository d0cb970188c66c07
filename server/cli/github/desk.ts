/** The page on 127.0.0.1 that takes a browser to GitHub with the manifest, and takes it back with a code. */

import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import {
  beginSetup,
  type Created,
  finishSetup,
  isSetupRefusal,
  type SetupAsked,
  type SetupParts,
  type SetupRefusal,
} from "../../journeys/setup.ts";
import { installAddress } from "../../model/gitHubApp.ts";
import type { Trip } from "../../store/people.ts";
import { type Asset, readAsset } from "../../web/assets.ts";
import { layout, nobody, type Page } from "../../web/layout.ts";
import { messagePage } from "../../web/signIn.ts";
import { createdPage, departurePage, setupRefusedPage } from "../../web/setup.ts";

export type Desk = {
  /** For the person; nobody else on this machine knows the path. */
  readonly url: string;
  /** The App, when the browser has brought it. Rejects when the desk is closed before. */
  readonly created: Promise<Created>;
  close(): void;
};

export type DeskParts = {
  readonly setup: Omit<SetupParts, "redirect" | "trips">;
  readonly asked: SetupAsked;
  /** 0: any. */
  readonly port: number;
  now(): Date;
  tell(line: string): void;
};

/** Nobody came in time, or was done in time. */
export class NobodyCame extends Error {}

const cookieName = "dogwatch_setup";

/** @throws what the system says when the port cannot be had */
export async function openDesk(parts: DeskParts): Promise<Desk> {
  const path = `/${randomBytes(16).toString("base64url")}`;
  const { promise: created, resolve, reject } = Promise.withResolvers<Created>();
  created.catch(() => undefined);
  const server = createServer((request, response) => void serve({ request, response }));
  const origin = await listen(server, parts.port);
  const setup: SetupParts = { ...parts.setup, redirect: `${origin}/created`, trips: tripsInMemory(parts.now) };

  const serve = async (exchange: Exchange): Promise<void> => {
    try {
      await route(exchange);
    } catch (error) {
      parts.tell(`the page failed: ${error instanceof Error ? error.message : "unknown reason"}`);
      send(exchange, { status: 500, page: messagePage("Not shown", "Something is broken; the terminal says what.") });
    }
  };
  const route = async (exchange: Exchange): Promise<void> => {
    const { request } = exchange;
    const url = new URL(request.url ?? "/", origin);
    // A name that leads here (DNS rebinding) is not this page's.
    if (request.method !== "GET" || request.headers.host !== new URL(origin).host) return send(exchange, missing);
    const asset = readAsset(url.pathname);
    if (asset !== null) return sendAsset(exchange, asset);
    if (url.pathname === path) return depart(exchange, { ...parts, setup });
    if (url.pathname !== "/created") return send(exchange, missing);
    const outcome = await finishSetup(setup, {
      browser: cookieOf(request),
      state: url.searchParams.get("state") ?? "",
      code: url.searchParams.get("code") ?? "",
    });
    if (isSetupRefusal(outcome)) return refuse(exchange, outcome, parts);
    const { app, kept } = outcome;
    const shown = { name: app.name, url: app.url, installUrl: installAddress(app.url), kept };
    send(exchange, { status: 200, page: createdPage(shown, "Go back to the terminal: it goes on by itself.") });
    resolve(outcome);
  };
  return {
    url: origin + path,
    created,
    close: () => {
      reject(new NobodyCame("closed"));
      server.close();
      server.closeIdleConnections();
      // The last page may still be on its way.
      setTimeout(() => server.closeAllConnections(), 2_000).unref();
    },
  };
}

type Exchange = { readonly request: IncomingMessage; readonly response: ServerResponse };

async function listen(server: Server, port: number): Promise<string> {
  await new Promise<void>((listening, failed) => {
    server.once("error", failed);
    server.listen(port, "127.0.0.1", listening);
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function depart(exchange: Exchange, parts: DeskParts & { readonly setup: SetupParts }): Promise<void> {
  const browser = randomBytes(32).toString("base64url");
  const departure = await beginSetup(parts.setup, parts.asked, { browser, who: "dogwatch github setup" });
  if (isSetupRefusal(departure)) return refuse(exchange, departure, parts);
  exchange.response.setHeader("set-cookie", `${cookieName}=${browser}; HttpOnly; SameSite=Lax; Path=/; Max-Age=3600`);
  send(exchange, { status: 200, page: departurePage(departure), formAction: new URL(departure.action).origin });
}

function refuse(exchange: Exchange, refusal: SetupRefusal, { tell }: Pick<DeskParts, "tell">): void {
  tell(`${refusal.refused} ${refusal.mend}`);
  send(exchange, { status: 403, page: setupRefusedPage(refusal) });
}

type Sent = { readonly status: number; readonly page: Page; readonly formAction?: string };

const missing: Sent = {
  status: 404,
  page: messagePage("Not found", "Open the address that the terminal shows, whole."),
};

function send({ response }: Exchange, { status, page, formAction }: Sent): void {
  const form = formAction === undefined ? "'none'" : formAction;
  response.writeHead(status, {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": `default-src 'none';style-src 'self';img-src 'self';form-action ${form};base-uri 'none';frame-ancestors 'none'`,
    "x-content-type-options": "nosniff",
    "referrer-policy": formAction === undefined ? "no-referrer" : "strict-origin-when-cross-origin",
    "cache-control": "no-store",
  });
  response.end(layout(page, nobody).text);
}

const sendAsset = ({ response }: Exchange, { type, bytes }: Asset): void => {
  response.writeHead(200, { "content-type": type, "x-content-type-options": "nosniff" }).end(bytes);
};

const cookieOf = ({ headers }: IncomingMessage): string | null =>
  /(?:^|; *)dogwatch_setup=([\w-]+)/.exec(headers.cookie ?? "")?.[1] ?? null;

/** They end with the command. */
function tripsInMemory(now: () => Date): SetupParts["trips"] {
  const trips = new Map<string, { readonly carried: unknown; readonly until: number }>();
  const keyOf = ({ purpose, state, browser }: Trip): string =>
    `${purpose} ${state.toString("hex")} ${browser.toString("hex")}`;
  return {
    depart: async (trip, carried, within) => {
      trips.set(keyOf(trip), { carried, until: now().getTime() + within });
    },
    arrive: async (trip) => {
      const known = trips.get(keyOf(trip));
      trips.delete(keyOf(trip));
      return known === undefined || known.until <= now().getTime() ? null : known.carried;
    },
  };
}
