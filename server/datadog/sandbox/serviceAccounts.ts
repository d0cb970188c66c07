/** Service accounts, which are users that nobody signs in as: https://docs.datadoghq.com/api/latest/service-accounts/. */

import { z } from "zod";
import { created, refused } from "./answer.ts";
import type { Organization } from "./organization.ts";
import { createPerson, personDraft } from "./people.ts";
import { describeUser } from "./profiles.ts";
import { accept, post, type Route } from "./route.ts";

const draft = personDraft.and(
  z.object({ data: z.object({ attributes: z.object({ service_account: z.literal(true) }) }) }),
);

export const serviceAccountRoutes = (org: Organization): readonly Route[] => [
  post("/api/v2/service_accounts", (asked) =>
    accept(asked, draft, (body) => {
      const account = createPerson(org, body, { verified: true, service_account: true });
      return typeof account === "string" ? refused(400, account) : created({ data: describeUser(org, account) });
    }),
  ),
];
