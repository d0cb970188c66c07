/** A real OpenID Connect provider (`oidc-provider`, certified) on this machine, at whose page one account is signed in already. */

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type KoaContextWithOIDC, Provider } from "oidc-provider";

export type RealProvider = {
  /** Exact `iss`. */
  readonly url: string;
  /** Who is at its page; null: somebody who does not agree. */
  visitor: string | null;
  /** By account. */
  readonly accounts: Map<string, Readonly<Record<string, unknown>>>;
  close(): Promise<void>;
};

export const realClient = { id: "dogwatch-of-the-tests", secret: "client-secret-of-the-tests-0123456789" };

/** `redirect`: where its one client's browsers come back to. */
export async function startProvider(redirect: string): Promise<RealProvider> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const real: RealProvider = {
    url,
    visitor: null,
    accounts: new Map(),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  const provider = new Provider(url, {
    clients: [
      {
        client_id: realClient.id,
        client_secret: realClient.secret,
        redirect_uris: [redirect],
        grant_types: ["authorization_code"],
        response_types: ["code"],
      },
    ],
    cookies: { keys: ["cookie-key-of-the-tests"] },
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"], groups: ["groups"] },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
    findAccount: (_context, id) => {
      const claims = real.accounts.get(id);
      return claims === undefined ? undefined : { accountId: id, claims: async () => ({ sub: id, ...claims }) };
    },
    // What this client asks for is agreed to by whoever is there.
    loadExistingGrant: async (context: KoaContextWithOIDC) => {
      const { client, session } = context.oidc;
      if (client === undefined || session?.accountId === undefined) return undefined;
      const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
      grant.addOIDCScope("openid profile email groups");
      await grant.save();
      return grant;
    },
  });
  const answer = provider.callback();
  server.on("request", (request, response) => {
    if (request.url?.startsWith("/interaction/") !== true) return void answer(request, response);
    const outcome =
      real.visitor === null
        ? { error: "access_denied", error_description: "no" }
        : { login: { accountId: real.visitor, remember: false } };
    void provider.interactionFinished(request, response, outcome, { mergeWithLastSubmission: false });
  });
  return real;
}
