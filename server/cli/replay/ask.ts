/** `dogwatch replay`: started at a running gateway, watched until it has ended, and shown call by call where something differs. */

import { setTimeout as sleep } from "node:timers/promises";
import { page, replay as replayShape, replayedCall, type ReplayedCallJson, type ReplayJson } from "../../contract.ts";
import type { Answer } from "../answer.ts";
import { Api, type ApiOptions, explained } from "../api.ts";
import { counted, readable } from "../words.ts";

export type ReplayOptions = ApiOptions & {
  readonly to: string;
  readonly dryRun?: true;
  readonly pace: "recorded" | "fast";
  readonly stopOnDifference?: true;
  readonly restore?: true;
  readonly cleanup?: true;
  readonly json?: true;
};

/** ms */
const askEvery = 250;

export const replay = (session: string, options: ReplayOptions, env: NodeJS.ProcessEnv): Promise<Answer> =>
  explained(async () => {
    const api = new Api(options, env);
    const started = await api.post(
      `/v1/sessions/${encodeURIComponent(session)}/replays`,
      {
        connection: options.to,
        dry_run: options.dryRun ?? false,
        pace: options.pace,
        stop_on_difference: options.stopOnDifference ?? false,
        masked: options.restore === true ? "restore" : "stand-in",
      },
      replayShape,
    );
    const ended = await afterIts(api, started, ({ state }) => state !== "running");
    const whole = options.cleanup === true && ended.replay_session_id !== null ? await cleanUp(api, ended) : ended;
    const calls = await readCalls(api, ended.id, options.json === true);
    const exitCode = isFine(whole) ? 0 : 1;
    if (options.json) return { exitCode, output: `${JSON.stringify({ replay: whole, calls }, null, 2)}\n` };
    return { exitCode, output: `${[...calls.flatMap(linesOf), ...summaryOf(whole)].join("\n")}\n` };
  });

async function afterIts(api: Api, first: ReplayJson, isOver: (replay: ReplayJson) => boolean): Promise<ReplayJson> {
  for (let now = first; ; now = await api.get(`/v1/replays/${first.id}`, replayShape)) {
    if (isOver(now)) return now;
    await sleep(askEvery);
  }
}

async function cleanUp(api: Api, { id }: ReplayJson): Promise<ReplayJson> {
  const begun = await api.post(`/v1/replays/${id}/cleanup`, {}, replayShape);
  return afterIts(api, begun, ({ cleanup }) => cleanup?.state !== "running");
}

/** People are shown what is not as it was; a program gets all. */
async function readCalls(api: Api, id: string, all: boolean): Promise<readonly ReplayedCallJson[]> {
  const found: ReplayedCallJson[] = [];
  for (const outcome of all ? [null] : (["different", "failed", "skipped", "planned"] as const))
    for (let cursor: string | null = ""; cursor !== null; ) {
      const query = new URLSearchParams({
        limit: "200",
        ...(outcome !== null && { outcome }),
        ...(cursor !== "" && { cursor }),
      });
      const asked: { items: ReplayedCallJson[]; next_cursor: string | null } = await api.get(
        `/v1/replays/${id}/calls?${query.toString()}`,
        page(replayedCall),
      );
      found.push(...asked.items);
      cursor = asked.next_cursor;
    }
  return found.toSorted((one, other) => one.n - other.n);
}

const isFine = ({ state, different, failed, cleanup }: ReplayJson): boolean =>
  state === "done" &&
  different === 0 &&
  failed === 0 &&
  (cleanup === null || (cleanup.state === "done" && cleanup.failed === 0));

const linesOf = ({ n, operation, method, path, outcome, reason, differences }: ReplayedCallJson): string[] => [
  `${n}  ${outcome}  ${operation.split(".").at(-1)}  ${method} ${readable(path, 120)}${reason === "" ? "" : `: ${readable(reason, 300)}`}`,
  ...(differences ?? []).map(
    (one) => `    ${readable(one.path, 120)}: ${valueText(one.recorded)} → ${valueText(one.replayed)}`,
  ),
];

const valueText = (value: string | null): string => (value === null ? "not there" : readable(value, 120));

function summaryOf(replay: ReplayJson): string[] {
  const { state, reason, calls, same, different, failed, skipped, planned, cleanup, replay_session_id } = replay;
  const counts = replay.dry_run
    ? `${planned} would be sent, ${skipped} skipped, ${failed} would fail`
    : `${same} same, ${different} different, ${failed} failed, ${skipped} skipped`;
  return [
    `${state}${reason === "" ? "" : `: ${readable(reason, 300)}`}; of ${counted(calls, "call")} ${counts}`,
    ...(replay_session_id === null ? [] : [`recorded as session ${replay_session_id}`]),
    ...(cleanup === null
      ? []
      : [
          `cleaned up: ${cleanup.deleted} deleted, ${cleanup.missing} gone already, ${cleanup.failed} failed`,
          ...cleanup.reasons.map((one) => `    ${readable(one, 300)}`),
        ]),
  ];
}
