/** The gateway's own API, `/v1/**`, and its description at `/v1/openapi.json`. */

import rateLimit from "@fastify/rate-limit";
import swagger, { type SwaggerTransformObject } from "@fastify/swagger";
import type { FastifyInstance } from "fastify";
import {
  createJsonSchemaTransform,
  createJsonSchemaTransformObject,
  serializerCompiler,
  validatorCompiler,
  type ZodTypeProvider,
} from "fastify-type-provider-zod";
import { z } from "zod";
import * as contract from "../contract.ts";
import { refuseApi } from "../errors.ts";
import { type ApprovalsParts, registerApprovals } from "./approvals.ts";
import { type BacktestRoutes, registerBacktests } from "./backtests.ts";
import { answerError, complain } from "./complain.ts";
import { type EventRoutes, registerEvents } from "./events.ts";
import { type HoldRoutes, registerHolds } from "./holds.ts";
import { type LogRoutes, registerLog } from "./log.ts";
import { type MeParts, registerMe } from "./me.ts";
import { registerPolicies } from "./policies.ts";
import type { PolicyParts } from "../journeys/rules.ts";
import { type MaskedValueRoutes, registerMaskedValues } from "./maskedValues.ts";
import { type OutlineRoutes, registerOutline } from "./outline.ts";
import { registerRecordings, type RecordingParts } from "./recordings.ts";
import { registerReplays, type ReplayRoutes } from "./replays.ts";
import { registerSearch, type SearchRoutes } from "./search.ts";
import { registerToken, type TokenParts } from "./token.ts";
import { registerUndo, type UndoRoutes } from "./undo.ts";
import type { Api } from "./zodRoutes.ts";

export type ApiParts = {
  /** Of the package, for the description. */
  readonly version: string;
  readonly publicUrl: string;
  readonly token: Omit<TokenParts, "publicUrl" | "perMinute">;
  readonly recordings: Omit<RecordingParts, "publicUrl"> &
    Omit<MaskedValueRoutes, "publicUrl"> &
    Omit<HoldRoutes, "publicUrl"> &
    PolicyParts &
    Omit<BacktestRoutes, "publicUrl"> &
    MeParts &
    LogRoutes &
    Omit<SearchRoutes, "publicUrl" | "version"> &
    Omit<EventRoutes, "publicUrl"> &
    Omit<OutlineRoutes, "publicUrl"> &
    Omit<ReplayRoutes, "publicUrl"> &
    Omit<UndoRoutes, "publicUrl"> &
    Omit<ApprovalsParts, "publicUrl">;
  /** Requests a minute that one address may send; many jobs share the address of their network. */
  readonly perMinute?: { readonly token: number; readonly all: number };
};

export const registerApi = async (app: FastifyInstance, parts: ApiParts): Promise<void> => {
  const { publicUrl, version, perMinute = { token: 600, all: 6000 } } = parts;
  await app.register(
    async (scope) => {
      const api = scope.withTypeProvider<ZodTypeProvider>();
      api.setValidatorCompiler(validatorCompiler);
      api.setSerializerCompiler(serializerCompiler);
      api.setErrorHandler(answerError);
      api.setNotFoundHandler((request, reply) =>
        reply.send(
          complain(reply, refuseApi("not_found", `there is no ${request.method} ${request.url.split("?")[0]}`)),
        ),
      );
      api.decorateRequest("reader", null);
      // Where no body is wanted, an empty one is none, whatever a client calls it.
      api.addHook("onRequest", async ({ headers, routeOptions }) => {
        const sends = headers["transfer-encoding"] !== undefined || (headers["content-length"] ?? "0") !== "0";
        if (routeOptions.schema?.body === undefined && !sends) delete headers["content-type"];
      });
      // A parameter without a value is omitted, as the token endpoint's are: `?cursor=` is the first page.
      api.addHook("preValidation", async (request) => {
        const given = Object.entries(request.query as Readonly<Record<string, unknown>>);
        request.query = Object.fromEntries(given.filter(([, value]) => value !== ""));
      });
      api.addHook("onSend", async (_request, reply) => {
        if (!reply.hasHeader("cache-control")) reply.header("cache-control", "no-store");
      });
      await api.register(rateLimit, { max: perMinute.all, timeWindow: 60_000 });
      await describe(api, parts);
      api.get("/openapi.json", { schema: { hide: true } }, async () => api.swagger());
      await api.register(async (own) =>
        registerToken(own.withTypeProvider<ZodTypeProvider>(), {
          ...parts.token,
          publicUrl,
          perMinute: perMinute.token,
        }),
      );
      await api.register(async (own) =>
        registerRecordings(own.withTypeProvider<ZodTypeProvider>(), { ...parts.recordings, publicUrl }),
      );
      await api.register(async (own) =>
        registerMaskedValues(own.withTypeProvider<ZodTypeProvider>(), { ...parts.recordings, publicUrl }),
      );
      await api.register(async (own) =>
        registerSearch(own.withTypeProvider<ZodTypeProvider>(), { ...parts.recordings, publicUrl, version }),
      );
      await api.register(async (own) =>
        registerEvents(own.withTypeProvider<ZodTypeProvider>(), { ...parts.recordings, publicUrl }),
      );
      await api.register(async (own) =>
        registerOutline(own.withTypeProvider<ZodTypeProvider>(), { ...parts.recordings, publicUrl }),
      );
      await api.register(async (own) =>
        registerHolds(own.withTypeProvider<ZodTypeProvider>(), { ...parts.recordings, publicUrl }),
      );
      await api.register(async (own) =>
        registerReplays(own.withTypeProvider<ZodTypeProvider>(), { ...parts.recordings, publicUrl }),
      );
      await api.register(async (own) =>
        registerUndo(own.withTypeProvider<ZodTypeProvider>(), { ...parts.recordings, publicUrl }),
      );
      await api.register(async (own) => registerMe(own.withTypeProvider<ZodTypeProvider>(), parts.recordings));
      await api.register(async (own) => registerLog(own.withTypeProvider<ZodTypeProvider>(), parts.recordings));
      await api.register(async (own) =>
        registerPolicies(own.withTypeProvider<ZodTypeProvider>(), { ...parts.recordings, publicUrl }),
      );
      await api.register(async (own) =>
        registerBacktests(own.withTypeProvider<ZodTypeProvider>(), { ...parts.recordings, publicUrl }),
      );
      await api.register(async (own) =>
        registerApprovals(own.withTypeProvider<ZodTypeProvider>(), { ...parts.recordings, publicUrl }),
      );
    },
    { prefix: "/v1" },
  );
};

const describe = async (api: Api, { version, publicUrl }: ApiParts): Promise<void> => {
  const schemaRegistry = z.registry<{ id: string }>();
  schemaRegistry.add(contract.session, { id: "Session" });
  schemaRegistry.add(contract.call, { id: "Call" });
  schemaRegistry.add(contract.searchHit, { id: "SearchHit" });
  schemaRegistry.add(contract.outline, { id: "Outline" });
  schemaRegistry.add(contract.policy, { id: "Policy" });
  schemaRegistry.add(contract.policyBacktest, { id: "PolicyBacktest" });
  schemaRegistry.add(contract.replay, { id: "Replay" });
  schemaRegistry.add(contract.replayedCall, { id: "ReplayedCall" });
  schemaRegistry.add(contract.approval, { id: "Approval" });
  schemaRegistry.add(contract.undo, { id: "Undo" });
  schemaRegistry.add(contract.auditEvent, { id: "AuditEvent" });
  schemaRegistry.add(contract.tokenAnswer, { id: "TokenAnswer" });
  schemaRegistry.add(contract.tokenError, { id: "TokenError" });
  schemaRegistry.add(contract.closeAnswer, { id: "CloseAnswer" });
  schemaRegistry.add(contract.apiError, { id: "Error" });
  const bearer = (description: string): { type: "http"; scheme: string; description: string } => ({
    type: "http",
    scheme: "bearer",
    description,
  });
  await api.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Dogwatch",
        version,
        description: "The gateway's own API: sessions, recordings and the audit log.",
      },
      servers: [{ url: publicUrl }],
      components: {
        securitySchemes: {
          session: bearer("The access_token of POST /v1/token: reads and closes its own session."),
          access: bearer("A token of access.tokens in dogwatch.yaml, by its role."),
        },
      },
    },
    transform: createJsonSchemaTransform({ schemaRegistry }),
    transformObject: withoutUnused(createJsonSchemaTransformObject({ schemaRegistry })),
  });
};

/** The library writes every named schema twice, as input and as output; what nothing refers to is left out. */
const withoutUnused =
  (transform: SwaggerTransformObject): SwaggerTransformObject =>
  (document) => {
    const described = transform(document);
    if (!("components" in described) || described.components?.schemas === undefined) return described;
    const text = JSON.stringify(described);
    const used = Object.entries(described.components.schemas).filter(([name]) => text.includes(`/schemas/${name}"`));
    described.components.schemas = Object.fromEntries(used);
    return described;
  };
