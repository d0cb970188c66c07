/** Webhooks that Datadog calls, and their variables, some secret: https://docs.datadoghq.com/api/latest/webhooks-integration/. */

import { z } from "zod";
import { created, ok, refused } from "./answer.ts";
import type { Webhook, WebhookVariable } from "./documents.ts";
import { type JsonObject, loose, stated } from "./json.ts";
import type { Organization } from "./organization.ts";
import { accept, del, get, looking, post, put, type Route } from "./route.ts";

const change = loose({
  name: z.string().min(1).optional(),
  url: z.url().optional(),
  custom_headers: z.string().nullish(),
  encode_as: z.enum(["json", "form"]).optional(),
  payload: z.string().nullish(),
});
const draft = change.required({ name: true, url: true });

const variable = z.object({
  name: z.string().regex(/^[A-Z][A-Z0-9_]*$/, "only upper-case letters, digits and underscores"),
  value: z.string(),
  is_secret: z.boolean(),
});

/** What Datadog sends when nobody says otherwise. */
const payload =
  '{"body": "$EVENT_MSG", "last_updated": "$LAST_UPDATED", "event_type": "$EVENT_TYPE", "title": "$EVENT_TITLE", "date": "$DATE", "org": {"id": "$ORG_ID", "name": "$ORG_NAME"}, "id": "$ID"}';

const base = "/api/v1/integration/webhooks/configuration";

export const webhookRoutes = ({ webhooks, webhookVariables }: Organization): readonly Route[] => {
  const one = looking(
    (asked) => webhooks.get(asked.params["webhook_name"] ?? ""),
    (asked) => `Webhook ${asked.params["webhook_name"]} not found`,
  );
  const oneVariable = looking(
    (asked) => webhookVariables.get(asked.params["custom_variable_name"] ?? ""),
    (asked) => `Variable ${asked.params["custom_variable_name"]} not found`,
  );
  const keep = (webhook: Webhook): JsonObject => {
    webhooks.set(webhook.name, webhook);
    return webhook;
  };

  return [
    post(`${base}/webhooks`, (asked) =>
      accept(asked, draft, (body) => {
        if (webhooks.has(body.name)) return refused(400, `Webhook ${body.name} already exists`);
        return created(keep({ encode_as: "json", custom_headers: null, payload, ...body }));
      }),
    ),
    get(
      `${base}/webhooks/{webhook_name}`,
      one((webhook) => ok(webhook)),
    ),
    put(
      `${base}/webhooks/{webhook_name}`,
      one((webhook, asked) =>
        accept(asked, change, (body) => {
          webhooks.delete(webhook.name);
          return ok(keep({ ...webhook, ...stated(body) }));
        }),
      ),
    ),
    del(
      `${base}/webhooks/{webhook_name}`,
      one(({ name }) => {
        webhooks.delete(name);
        return ok({});
      }),
    ),
    post(`${base}/custom-variables`, (asked) =>
      accept(asked, variable, (body) => {
        if (webhookVariables.has(body.name)) return refused(400, `Variable ${body.name} already exists`);
        webhookVariables.set(body.name, body);
        return created(describeVariable(body));
      }),
    ),
    get(
      `${base}/custom-variables/{custom_variable_name}`,
      oneVariable((found) => ok(describeVariable(found))),
    ),
    put(
      `${base}/custom-variables/{custom_variable_name}`,
      oneVariable((found, asked) =>
        accept(asked, variable.partial(), (body) => {
          const { name = found.name, value = found.value, is_secret = found.is_secret } = body;
          webhookVariables.delete(found.name);
          webhookVariables.set(name, { name, value, is_secret });
          return ok(describeVariable({ name, value, is_secret }));
        }),
      ),
    ),
    del(
      `${base}/custom-variables/{custom_variable_name}`,
      oneVariable(({ name }) => {
        webhookVariables.delete(name);
        return ok({});
      }),
    ),
  ];
};

/** The value of a secret one is never answered. */
const describeVariable = ({ name, value, is_secret }: WebhookVariable): JsonObject =>
  is_secret ? { name, is_secret } : { name, value, is_secret };
