/** Of which type ids are, by the catalogue's paths and by the names of members. */

import { expect, test } from "vitest";
import { buildCatalogue } from "../../../server/datadog/catalogue.ts";
import { idPlace, scalarsOf } from "../../../server/journeys/replay/places.ts";
import { readResources } from "../../../server/journeys/replay/resources.ts";
import { readTree } from "../../../server/model/jsonTree.ts";

const resources = readResources(buildCatalogue());

test.each([
  ["/api/v1/monitor/{monitor_id}", "monitor_id", "monitor_id"],
  ["/api/v1/dashboard/lists/manual/{list_id}", "list_id", "dashboard_list_id"],
  ["/api/v2/monitor/notification_rule/{rule_id}", "rule_id", "notification_rule_id"],
  ["/api/v2/integrations/okta/accounts/{account_id}", "account_id", "okta_account_id"],
  ["/api/v2/integrations/cloudflare/accounts/{account_id}", "account_id", "cloudflare_account_id"],
  ["/api/v1/synthetics/tests/browser/{public_id}", "public_id", "test_id"],
  ["/api/v1/dashboard/public/{token}", "token", "public_token"],
  ["/api/v2/team/{super_team_id}", "super_team_id", "team_id"],
  ["/api/v1/host/{host_name}/mute", "host_name", null],
  ["/api/v2/metrics/{metric_name}/tags", "metric_name", null],
])("%s %s is a %s", (path, name, type) => {
  expect(resources.ofParameter(path, name)).toBe(type);
});

test.each([
  ["/api/v1/monitor", "monitor_id"],
  ["/api/v1/monitor/search", "monitor_id"],
  ["/api/v1/slo/bulk_delete", "slo_id"],
  ["/api/v1/synthetics/tests/trigger", "test_id"],
  ["/api/v2/on-call/schedules", "on_call_schedule_id"],
  ["/api/v1/validate", null],
])("what is done at %s is done with a %s", (path, type) => {
  expect(resources.own({ path })).toBe(type);
});

const typesIn = (path: string, json: string): Readonly<Record<string, string>> => {
  const tree = readTree(json);
  if (tree === null) throw new Error("no JSON");
  const subject = { resources, kinds: new Map(), own: resources.own({ path }), path };
  return Object.fromEntries(
    [...scalarsOf(tree)].flatMap(([, place]) => {
      const at = idPlace(subject, place);
      return at === null ? [] : [[place.pattern, at.type + (at.isOwn ? " (own)" : "")]];
    }),
  );
};

test("members are known by their name, by JSON:API's type, and by what the operation is about", () => {
  expect(
    typesIn(
      "/api/v1/dashboard",
      '{"id":"a","title":"id","widgets":[{"id":1,"definition":{"alert_id":"2","type":"note"}}],"slo_ids":["x"],"parse_test_public_id":"t","org_id":3,"idle":4,"paid":5}',
    ),
  ).toEqual({
    id: "dashboard_id (own)",
    "widgets[].id": "dashboard_id widgets[].id",
    "widgets[].definition.alert_id": "monitor_id",
    "slo_ids[]": "slo_id",
    parse_test_public_id: "test_id",
    org_id: "org_id",
  });
  expect(
    typesIn(
      "/api/v2/on-call/schedules",
      '{"data":{"type":"schedules","id":"s","relationships":{"teams":{"data":[{"type":"teams","id":"t"}]}}}}',
    ),
  ).toEqual({ "data.id": "on_call_schedule_id (own)", "data.relationships.teams.data[].id": "team_id" });
  // `type` is a word of JSON:API only where the rest is JSON:API's too.
  expect(typesIn("/api/v1/synthetics/tests/api", '{"public_id":"x","type":"api","name":"n"}')).toEqual({
    public_id: "test_id (own)",
  });
});
