/** The table of what takes changes back is true: its operations are in the catalogue, and its fields are fields of Datadog's. */

import { v1, v2 } from "@datadog/datadog-api-client";
import { describe, expect, test } from "vitest";
import { buildCatalogue } from "../../server/datadog/catalogue.ts";
import { type Kind, kinds } from "../../server/datadog/inverse.ts";
import { loadRecordings, recordingsMissing } from "../standins/recordings.ts";

const { entries } = buildCatalogue();
const entryOf = (id: string | undefined) => entries.find((entry) => entry.id === id);

/** Fields that a read answers, and those that a request takes, by the official client's models. */
type Model = { getAttributeTypeMap(): Record<string, { baseName: string }> };
const models: Record<Kind["name"], { readonly shown: readonly Model[]; readonly sent: readonly Model[] }> = {
  monitor: { shown: [v1.Monitor], sent: [v1.Monitor] },
  dashboard: { shown: [v1.Dashboard], sent: [v1.Dashboard] },
  dashboard_list: { shown: [v1.DashboardList], sent: [v1.DashboardList] },
  downtime: { shown: [v2.DowntimeResponseAttributes], sent: [v2.DowntimeCreateRequestAttributes] },
  downtime_v1: { shown: [v1.Downtime], sent: [v1.Downtime] },
  slo: { shown: [v1.SLOResponseData, v1.ServiceLevelObjective], sent: [v1.ServiceLevelObjectiveRequest] },
  slo_correction: { shown: [v1.SLOCorrectionResponseAttributes], sent: [v1.SLOCorrectionCreateRequestAttributes] },
  notebook: { shown: [v1.NotebookResponseDataAttributes], sent: [v1.NotebookCreateDataAttributes] },
  logs_metric: { shown: [v2.LogsMetricResponseAttributes], sent: [v2.LogsMetricCreateAttributes] },
  logs_pipeline: { shown: [v1.LogsPipeline], sent: [v1.LogsPipeline] },
  notification_rule: {
    shown: [v2.MonitorNotificationRuleResponseAttributes],
    sent: [v2.MonitorNotificationRuleAttributes],
  },
  webhook: { shown: [v1.WebhooksIntegration], sent: [v1.WebhooksIntegration] },
};
const fieldsOf = (of: readonly Model[]): Set<string> =>
  new Set(
    of.flatMap((model) =>
      Object.values(model.getAttributeTypeMap())
        .map(({ baseName }) => baseName)
        .filter((name) => name !== "additionalProperties"),
    ),
  );

/** In Datadog's recorded answers, and not in the client's models. */
const beyond: Partial<Record<Kind["name"], readonly string[]>> = {
  monitor: ["org_id", "created_at", "overall_state_modified", "restricted", "restriction_policy", "run_as"],
  dashboard_list: ["dashboards"],
  downtime_v1: ["uuid", "org_id", "child_id", "created", "modified", "status"],
  notification_rule: ["created_at", "modified_at"],
  slo: ["type_id", "status", "overall_status"],
};

describe.each(kinds)("$name", (kind) => {
  test("its operations do to one thing what the table says", () => {
    const [create, show, change, remove] = [kind.create, kind.show, kind.change, kind.remove].map(entryOf);
    expect(create?.method).toBe("POST");
    expect(show).toMatchObject({ method: "GET", access: "read" });
    expect(change?.method).toMatch(/^(?:PUT|PATCH)$/);
    expect(remove?.method).toBe("DELETE");
    expect(show?.path).toBe(`${create?.path}/${show?.path.split("/").at(-1)}`);
    for (const one of [change, remove]) expect(one?.path).toBe(show?.path);
    expect(show?.path.match(/\{\w+\}/g)).toHaveLength(1);
    for (const several of [kind.restore, kind.removeSeveral])
      if (several !== undefined) expect(entryOf(several)?.path).toBe(create?.path);
  });

  test("what is not sent back is a field that Datadog answers, and no request needs", () => {
    const { shown, sent } = models[kind.name];
    const known = new Set([...fieldsOf(shown), ...(beyond[kind.name] ?? [])]);
    const dropped = kind.readOnly.filter((field) => !field.includes(".") && !field.includes("["));
    expect(dropped.filter((field) => !known.has(field))).toEqual([]);
    // The models of some requests are those of the answers: there the recorded answers and the documentation decide.
    if (sent[0] !== shown[0]) {
      const takes = fieldsOf(sent);
      expect(dropped.filter((field) => takes.has(field))).toEqual([]);
      const left = [...fieldsOf(shown)].filter((field) => !takes.has(field) && !kind.readOnly.includes(field));
      expect(left).toEqual([]);
    }
  });

  test("its ids are whole, and nothing that a path could read as something else", () => {
    for (const evil of ["", ".", "..", "a/b", "a%2Fb", "a?b", "a#b", "1\n", "0", "-1", "1.5", " 1", "{id}", "ä"])
      expect([evil, kind.id.test(evil)]).toEqual([
        evil,
        ["webhook", "logs_pipeline"].includes(kind.name) && /^-?\d$/.test(evil),
      ]);
  });
});

const recordings = loadRecordings();
test.skipIf(recordings === null)(
  `answers of Datadog hold no other fields${recordings === null ? ` (${recordingsMissing})` : ""}`,
  () => {
    const seen = new Map<string, Set<string>>();
    for (const { exchanges } of recordings ?? [])
      for (const { request, response } of exchanges) {
        const kind = kinds.find(({ create }) => {
          const entry = entryOf(create);
          return entry?.path === request.path && entry.method === request.method;
        });
        if (kind === undefined || response.status !== 200) continue;
        const body = JSON.parse(response.body.toString());
        const data = Array.isArray(body.data) ? body.data[0] : body.data;
        const own = kind.envelope === "bare" ? body : kind.envelope === "listed" ? data : data.attributes;
        const known = new Set([...fieldsOf(models[kind.name].sent), ...kind.readOnly]);
        const odd = Object.keys(own).filter((field) => !known.has(field));
        seen.set(kind.name, new Set([...(seen.get(kind.name) ?? []), ...odd]));
      }
    expect([...seen.keys()].toSorted()).toEqual([
      "dashboard",
      "dashboard_list",
      "downtime",
      "downtime_v1",
      "logs_metric",
      "logs_pipeline",
      "monitor",
      "notebook",
      "notification_rule",
      "slo",
      "slo_correction",
    ]);
    expect([...seen].filter(([, odd]) => odd.size > 0).map(([name, odd]) => [name, ...odd])).toEqual([]);
  },
);
