/** Where logs are forwarded to, v2: https://docs.datadoghq.com/api/latest/logs-custom-destinations/. Nothing is forwarded here. */

import { z } from "zod";
import { collect } from "./collections.ts";
import { type JsonObject, loose } from "./json.ts";
import type { Organization } from "./organization.ts";
import type { Route } from "./route.ts";

const told = loose({
  name: z.string().min(1),
  query: z.string().optional(),
  enabled: z.boolean().optional(),
  forward_tags: z.boolean().optional(),
  forward_tags_restriction_list: z.array(z.string()).optional(),
  forward_tags_restriction_list_type: z.enum(["ALLOW_LIST", "BLOCK_LIST"]).optional(),
  forwarder_destination: loose({ type: z.enum(["http", "splunk_hec", "elasticsearch", "microsoft_sentinel"]) }),
});

export const customDestinationRoutes = (org: Organization): readonly Route[] =>
  collect(org, {
    path: "/api/v2/logs/config/custom-destinations",
    type: "custom_destination",
    told,
    changedBy: "PATCH",
    missing: () => "Custom destination not found",
    attributes: (wanted, before) => {
      const { forwarder_destination: destination } = wanted;
      const sourcetype = destination?.["sourcetype"];
      if (sourcetype != null && typeof sourcetype !== "string")
        return "Invalid custom destination configuration: Sourcetype must be a string or null";
      return {
        query: "",
        enabled: true,
        forward_tags: true,
        forward_tags_restriction_list: [],
        forward_tags_restriction_list_type: "ALLOW_LIST",
        ...before,
        ...wanted,
        ...(destination === undefined ? {} : { forwarder_destination: withoutSecrets(destination) }),
      };
    },
  }).routes;

const secrets = new Set(["access_token", "client_secret", "password", "username", "header_value"]);

/** What Datadog would send there with is never answered. */
const withoutSecrets = (destination: JsonObject): JsonObject =>
  Object.fromEntries(
    Object.entries(destination)
      .filter(([name]) => !secrets.has(name))
      .map(([name, value]) => [name, name === "auth" && value != null ? withoutSecrets(value as JsonObject) : value]),
  );
