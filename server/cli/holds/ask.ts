/** `dogwatch hold` and `dogwatch release`: asked of a running gateway. */

import { heldSession, session as sessionShape } from "../../contract.ts";
import type { Answer } from "../answer.ts";
import { Api, type ApiOptions, explained } from "../api.ts";
import { readable } from "../words.ts";
import { plainJsonLines } from "../../model/plainJson.ts";

export type HoldRequest = ApiOptions & { readonly reason: string; readonly json?: true };

const pathOf = (session: string): string => `/v1/sessions/${encodeURIComponent(session)}/hold`;

/** Exit code 1 where the bodies had gone before. */
export const hold = (id: string, request: HoldRequest, env: NodeJS.ProcessEnv): Promise<Answer> =>
  explained(async () => {
    const held = await new Api(request, env).post(pathOf(id), { reason: request.reason }, heldSession);
    const exitCode = held.bodies === "kept" ? 0 : 1;
    if (request.json) return { exitCode, output: `${plainJsonLines(held)}\n` };
    const { by = "", at = "", reason = "" } = held.session.hold ?? {};
    const bodies = held.bodies === "kept" ? "with its bodies" : "but its bodies had expired before";
    return { exitCode, output: `held by ${readable(by, 200)} since ${at}, ${bodies}: ${readable(reason, 500)}\n` };
  });

export const release = (id: string, request: HoldRequest, env: NodeJS.ProcessEnv): Promise<Answer> =>
  explained(async () => {
    const released = await new Api(request, env).delete(pathOf(id), { reason: request.reason }, sessionShape);
    return { exitCode: 0, output: request.json ? `${plainJsonLines(released)}\n` : "released\n" };
  });
