/** Who asks, as the gateway knows them, and what the forms of their pages carry. */

import { me, type MeJson } from "../contract.ts";
import { type Reader, readerName, roleOf } from "../journeys/history.ts";
import { type AccessParts, admit, knownReader, refusals } from "./access.ts";
import type { Api } from "./zodRoutes.ts";

export type MeParts = AccessParts & {
  /** Null for whoever is not signed in by cookie. */
  formToken(request: Parameters<AccessParts["person"]>[0]): string | null;
};

export const registerMe = async (api: Api, parts: MeParts): Promise<void> => {
  api.addHook("preParsing", async (request, reply) => {
    await admit(parts)(request, reply);
  });
  api.route({
    method: "GET",
    url: "/me",
    schema: {
      summary: "Who asks, with which role; for a browser also the form token that whatever changes something carries",
      security: [{ session: [] }, { access: [] }],
      response: { 200: me, ...refusals },
    },
    handler: (request) => meJson(knownReader(request), parts.formToken(request)),
  });
};

const meJson = (reader: Reader, form: string | null): MeJson => ({
  name: readerName(reader),
  kind: reader.kind === "access" ? "access_token" : reader.kind,
  role: roleOf(reader),
  form,
});
