/** Reading the log of seals: its newest checkpoint, its tiles, the entries behind them, the keys that sign it. */

import { refuseApi, type ApiRefusal } from "../errors.ts";
import { leafOf } from "../stages/seal/chain.ts";
import { readTileNumber, type TilePlace, tileWidth, widthOfTile, writeBundle } from "../stages/seal/tiles.ts";
import type { SealLog } from "../store/log.ts";
import type { Seals } from "../store/seals.ts";
import { type Reader, seesEverything } from "./history.ts";
import type { SignKeys } from "./seal/grow.ts";

export type LogParts = {
  readonly sealLog: SealLog;
  readonly seals: Pick<Seals, "logged">;
  readonly signKeys: SignKeys;
};

/** A signed note. */
export async function readCheckpoint({ sealLog }: LogParts): Promise<string | ApiRefusal> {
  return (await sealLog.checkpoint()) ?? refuseApi("not_found", "the log of seals has not been signed yet");
}

/** One a line, the one that signs first. */
export const readKeys = ({ signKeys }: LogParts): string => signKeys.known.map(({ vkey }) => `${vkey}\n`).join("");

const mostLevels = 6;

/** `path`: `<L>/<N>[.p/<W>]`. Hashes only: whoever may read the checkpoint may read them. */
export async function readLogTile({ sealLog }: LogParts, path: string): Promise<Buffer | ApiRefusal> {
  const [, level = "", rest = ""] = /^(\d)\/(.+)$/.exec(path) ?? [];
  const asked = readPlace({ level: Number(level), rest });
  const size = await signedSize(sealLog);
  if (level === "" || asked === null || Number(level) >= mostLevels || !isThere(asked, size)) return noTile(path);
  return (await sealLog.readTile(asked.place)).subarray(0, asked.width * 32);
}

/** `path`: `<N>[.p/<W>]`. They say which sessions there were, so they are read like all sessions are. */
export async function readEntries(
  { sealLog, seals }: LogParts,
  reader: Reader,
  path: string,
): Promise<Buffer | ApiRefusal> {
  const refusal = seesEverything(reader);
  if (refusal !== null) return refusal;
  const asked = readPlace({ level: 0, rest: path });
  if (asked === null || !isThere(asked, await signedSize(sealLog))) return noTile(`entries/${path}`);
  const from = asked.place.n * tileWidth;
  const found = await seals.logged(from, asked.width);
  const isWhole = found.length === asked.width && found.every(({ log_index }, i) => log_index === from + i);
  return isWhole ? writeBundle(found.map(leafOf)) : noTile(`entries/${path}`);
}

const noTile = (path: string): ApiRefusal =>
  refuseApi("not_found", `the log of seals has no tile ${path.slice(0, 60)}`);

type Asked = { readonly place: TilePlace; readonly width: number; readonly isPartial: boolean };

const readPlace = ({ level, rest }: { readonly level: number; readonly rest: string }): Asked | null => {
  const [, number = "", width] = /^(.+?)(?:\.p\/([1-9]\d{0,2}))?$/.exec(rest) ?? [];
  const n = readTileNumber(number);
  if (n === null || Number(width ?? 1) >= tileWidth) return null;
  return { place: { level, n }, width: Number(width ?? tileWidth), isPartial: width !== undefined };
};

/** What is beyond the newest checkpoint is nobody's business yet. */
const isThere = ({ place, width }: Asked, size: number): boolean => (widthOfTile(place, size) ?? 0) >= width;

const signedSize = async (sealLog: SealLog): Promise<number> =>
  Number((await sealLog.checkpoint())?.split("\n")[1] ?? 0);
