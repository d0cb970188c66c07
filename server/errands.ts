/** Joins what the gateway does by itself for people who ask: sessions replayed, and undone, in sessions of their own. */

import { randomBytes } from "node:crypto";
import type { Approvals } from "./approvals.ts";
import type { Catalogue } from "./datadog/catalogue.ts";
import type { HistoryParts } from "./journeys/history.ts";
import type { OwnSessionParts } from "./journeys/ownSession.ts";
import type { ReplayParts } from "./journeys/replay.ts";
import { readResources } from "./journeys/replay/resources.ts";
import { volatileFields } from "./journeys/replay/volatile.ts";
import type { UndoParts } from "./journeys/undo.ts";
import { readHidden } from "./journeys/undo/hidden.ts";
import { writersOf } from "./journeys/visible.ts";
import type { AuditEvent } from "./model/audit.ts";
import type { Rules } from "./rules.ts";
import type { MaskKeys } from "./stages/mask/token/keys.ts";
import type { Store } from "./store/database.ts";

export type ErrandSurroundings = Pick<OwnSessionParts, "connections" | "seal" | "lifetime"> &
  Pick<ReplayParts, "masks" | "apart" | "works" | "line"> & {
    readonly store: Store;
    readonly rules: Rules;
    readonly catalogue: Catalogue;
    readonly approvals: Approvals;
    readonly maskKeys: MaskKeys;
    readonly history: HistoryParts;
  };

export type Errands = { readonly replaying: ReplayParts; readonly undoing: UndoParts };

export function joinErrands(surroundings: ErrandSurroundings): Errands {
  const { store, rules, catalogue, approvals, maskKeys, history } = surroundings;
  const { connections, seal, lifetime, masks, apart, works, line } = surroundings;
  const { publicUrl, github } = rules.current.config;
  const shared = {
    ...history,
    sessions: store.sessions,
    connections,
    seal,
    audit: (event: AuditEvent) => store.audit.append(event),
    now: () => new Date(),
    monotonic: () => performance.now(),
    chance: randomBytes,
    lifetime,
    catalogue,
    line,
  };
  return {
    replaying: {
      ...shared,
      receipts: store.receipts,
      following: store.following,
      bodies: store.bodies,
      replays: store.replays,
      connection: (name) => rules.current.connections.get(name),
      apart,
      resources: readResources(catalogue),
      volatile: () => volatileFields(rules.current.config.replay.volatile, catalogue.entries),
      masks,
      works,
    },
    undoing: {
      ...shared,
      undos: store.undos,
      publicUrl,
      approvals: { store: approvals.answering.store },
      hidden: () => readHidden(maskKeys, rules.masks),
      mayWrite: writersOf({ access: approvals.answering.repositories, apiUrl: github?.apiUrl ?? null }),
    },
  };
}
