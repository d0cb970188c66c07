/** Everything that the sandbox knows: the routes of all nouns, each with a file of its own. */

import type { Organization } from "./organization.ts";
import type { Route } from "./route.ts";
import { accessTokenRoutes } from "./accessTokens.ts";
import { authnMappingRoutes } from "./authnMappings.ts";
import { caseRoutes } from "./cases.ts";
import { caseTypeRoutes } from "./caseTypes.ts";
import { correctionRoutes } from "./corrections.ts";
import { customDestinationRoutes } from "./customDestinations.ts";
import { dashboardListRoutes } from "./dashboardLists.ts";
import { dashboardRoutes } from "./dashboards.ts";
import { deploymentGateRoutes } from "./deploymentGates.ts";
import { derivedMetricRoutes } from "./derivedMetrics.ts";
import { downtimeRoutes } from "./downtimes.ts";
import { eventRoutes } from "./events.ts";
import { incidentPartRoutes } from "./incidentParts.ts";
import { incidentRoutes } from "./incidents.ts";
import { incidentSetupRoutes } from "./incidentSetup.ts";
import { infrastructureRoutes } from "./infrastructure.ts";
import { forgetfulRoutes } from "./intakes.ts";
import { keyRoutes } from "./keys.ts";
import { logIndexRoutes } from "./logIndexes.ts";
import { logIntakeRoutes } from "./logIntakes.ts";
import { logSearchRoutes } from "./logSearch.ts";
import { membershipRoutes } from "./memberships.ts";
import { metricFormulaRoutes } from "./metricFormulas.ts";
import { metricQueryRoutes } from "./metricQueries.ts";
import { metricRoutes } from "./metrics.ts";
import { metricTagRoutes } from "./metricTags.ts";
import { monitorRoutes } from "./monitors.ts";
import { notebookRoutes } from "./notebooks.ts";
import { notificationRuleRoutes } from "./notificationRules.ts";
import { observabilityPipelineRoutes } from "./observabilityPipelines.ts";
import { oldDowntimeRoutes } from "./oldDowntimes.ts";
import { oldKeyRoutes } from "./oldKeys.ts";
import { oldUserRoutes } from "./oldUsers.ts";
import { onCallRoutes } from "./onCall.ts";
import { onCallNoticeRoutes } from "./onCallNotices.ts";
import { peopleRoutes } from "./people.ts";
import { pipelineRoutes } from "./pipelines.ts";
import { powerpackRoutes } from "./powerpacks.ts";
import { restrictionQueryRoutes } from "./restrictionQueries.ts";
import { roleRoutes } from "./roles.ts";
import { securityNoticeRoutes } from "./securityNotices.ts";
import { serviceAccountRoutes } from "./serviceAccounts.ts";
import { sharedDashboardRoutes } from "./sharedDashboards.ts";
import { sloRoutes } from "./slos.ts";
import { suiteRoutes } from "./suites.ts";
import { suppressionRoutes } from "./suppressions.ts";
import { syntheticsRoutes } from "./synthetics.ts";
import { syntheticsRunRoutes } from "./syntheticsRuns.ts";
import { syntheticsVariableRoutes } from "./syntheticsVariables.ts";
import { tagIndexingRuleRoutes } from "./tagIndexingRules.ts";
import { teamHierarchyRoutes } from "./teamHierarchy.ts";
import { teamLinkRoutes } from "./teamLinks.ts";
import { teamRuleRoutes } from "./teamRules.ts";
import { teamRoutes } from "./teams.ts";
import { webhookRoutes } from "./webhooks.ts";

export const routesOf = (org: Organization): readonly Route[] => [
  ...infrastructureRoutes(org),
  ...monitorRoutes(org),
  ...dashboardRoutes(org),
  ...sharedDashboardRoutes(org),
  ...dashboardListRoutes(org),
  ...downtimeRoutes(org),
  ...oldDowntimeRoutes(org),
  ...sloRoutes(org),
  ...correctionRoutes(org),
  ...eventRoutes(org),
  ...metricRoutes(org),
  ...tagIndexingRuleRoutes(org),
  ...metricTagRoutes(org),
  ...metricQueryRoutes(org),
  ...metricFormulaRoutes(org),
  ...logIntakeRoutes(org),
  ...logSearchRoutes(org),
  ...pipelineRoutes(org),
  ...observabilityPipelineRoutes(org),
  ...logIndexRoutes(org),
  ...customDestinationRoutes(org),
  ...restrictionQueryRoutes(org),
  ...derivedMetricRoutes(org),
  ...notificationRuleRoutes(org),
  ...powerpackRoutes(org),
  ...incidentRoutes(org),
  ...incidentPartRoutes(org),
  ...incidentSetupRoutes(org),
  ...caseRoutes(org),
  ...caseTypeRoutes(org),
  ...onCallRoutes(org),
  ...onCallNoticeRoutes(org),
  ...deploymentGateRoutes(org),
  ...suppressionRoutes(org),
  ...securityNoticeRoutes(org),
  ...keyRoutes(org),
  ...oldKeyRoutes(org),
  ...serviceAccountRoutes(org),
  ...accessTokenRoutes(org),
  ...peopleRoutes(org),
  ...oldUserRoutes(org),
  ...roleRoutes(org),
  ...authnMappingRoutes(org),
  ...teamRoutes(org),
  ...membershipRoutes(org),
  ...teamLinkRoutes(org),
  ...teamRuleRoutes(org),
  ...teamHierarchyRoutes(org),
  ...syntheticsRoutes(org),
  ...syntheticsRunRoutes(org),
  ...syntheticsVariableRoutes(org),
  ...suiteRoutes(org),
  ...notebookRoutes(org),
  ...webhookRoutes(org),
  ...forgetfulRoutes,
];
