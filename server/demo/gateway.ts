/** The gateway of the scene: its configuration, its secrets, and a port that is free. */

import { randomBytes } from "node:crypto";
import { chmodSync, openSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import { pino } from "pino";
import { type Gateway, startGateway } from "../app.ts";
import { LogLines } from "../cli/logLines.ts";
import { callbackPath } from "../journeys/signIn.ts";
import { readOrMake } from "../keyFile.ts";
import { demoConfiguration } from "./configuration.ts";
import type { App } from "./github/state.ts";

export type Neighbours = {
  /** Address of the stand-in for GitHub, the issuer of its identity tokens, and of its API. */
  readonly github: { readonly url: string; readonly apiUrl: string };
  /** As which the gateway asks there; it is told where the gateway is. */
  readonly app: App;
  /** Address of the built-in Datadog. */
  readonly sandbox: string;
};

const usualPort = 8080;
const mostTries = 5;

/** A port that is free when it is looked at may be another program's a moment later: then another one is taken. */
export async function openGateway(dataDir: string, neighbours: Neighbours): Promise<Gateway> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await openOn(await freePort(tried === 1 ? usualPort : 0), dataDir, neighbours);
    } catch (error) {
      const taken = error instanceof Error && "code" in error && error.code === "EADDRINUSE";
      if (!taken || tried === mostTries) throw error;
    }
  }
}

function openOn(port: number, dataDir: string, { github, app, sandbox }: Neighbours): Promise<Gateway> {
  const file = join(dataDir, "demo.yaml");
  const publicUrl = `http://127.0.0.1:${port}`;
  app.webhook_url = `${publicUrl}/webhooks/github`;
  app.callback_urls = [`${publicUrl}${callbackPath}`];
  const privateKey = resolve(dataDir, "demo-github-app.pem");
  writeSecret(privateKey, app.pem);
  const { id: appId, client_id: clientId } = app;
  const scene = { publicUrl, port, dataDir: resolve(dataDir), sandbox, github, appId, clientId, privateKey };
  writeFileSync(file, demoConfiguration(scene));
  const env = {
    DOGWATCH_DEMO_TOKEN: tokenIn(join(dataDir, "demo-token")),
    DOGWATCH_DEMO_WEBHOOK_SECRET: app.webhook_secret,
    DOGWATCH_DEMO_CLIENT_SECRET: app.client_secret,
  };
  const log = pino({ level: "warn" }, new LogLines(openSync(join(dataDir, "gateway.log"), "a", 0o600)));
  return startGateway({ file, env, log });
}

/** Kept between starts, so that a page that is open stays signed in. */
function tokenIn(file: string): string {
  const make = (): string => randomBytes(32).toString("base64url");
  const token = readOrMake({ file, make, need: "signing in needs a token", instead: "give the folder to this user" });
  chmodSync(file, 0o600);
  return token;
}

/** Nobody else reads it, whoever could read what was there before. */
function writeSecret(file: string, text: string): void {
  writeFileSync(file, "", { mode: 0o600 });
  chmodSync(file, 0o600);
  writeFileSync(file, text);
}

/** The wanted port, or any other one when somebody listens there. */
function freePort(wanted: number): Promise<number> {
  return new Promise((found, failed) => {
    const probe = createServer();
    probe.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE" && wanted !== 0) freePort(0).then(found, failed);
      else failed(error);
    });
    probe.listen(wanted, "127.0.0.1", () => {
      const address = probe.address();
      const port = typeof address === "object" && address !== null ? address.port : wanted;
      probe.close(() => found(port));
    });
  });
}
