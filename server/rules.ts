/** The rules in force: a changed file replaces them between two calls, and what cannot be used leaves them in force. */

import { setTimeout as sleep } from "node:timers/promises";
import { formatProblem } from "./config/load.ts";
import { needsRestart } from "./config/watch.ts";
import type { Catalogue } from "./datadog/catalogue.ts";
import type { Config, Problem } from "./model/config.ts";
import type { Log } from "./model/log.ts";
import { type Rulebook, rulebookOf } from "./rulebook.ts";
import { type TrustedIssuer, trustIssuer } from "./stages/authenticate/identify.ts";
import { type Policy, canonicalSource } from "./stages/decide/policy.ts";
import { compileMasks, type Masks } from "./stages/mask/plan.ts";
import type { Store } from "./store/database.ts";

/** The rulebook in force. A changed file replaces it between two calls; one that cannot be used leaves it in force, loudly. */
export class Rules {
  readonly #parts: { readonly log: Log; readonly store: Store; readonly catalogue: Catalogue };
  #current: Rulebook;
  #newest: Rulebook;
  #trusted: readonly TrustedIssuer[];
  #masks: Masks;

  constructor(first: Rulebook, parts: { readonly log: Log; readonly store: Store; readonly catalogue: Catalogue }) {
    this.#parts = parts;
    this.#current = first;
    this.#newest = first;
    this.#trusted = trust(first);
    this.#masks = compileMasks(first.masks);
    this.#audit("configuration_loaded", `policy ${first.policy.digest}`);
  }

  get current(): Rulebook {
    return this.#current;
  }

  get trusted(): readonly TrustedIssuer[] {
    return this.#trusted;
  }

  get masks(): Masks {
    return this.#masks;
  }

  readonly changed = (config: Config): void => {
    this.#newest = rulebookOf(config, this.#parts.catalogue);
    void this.#adopt(this.#newest);
  };

  /** A receipt must lead to the rules that decided, so a policy is kept before it is in force. */
  async #adopt(rulebook: Rulebook): Promise<void> {
    const { store, log } = this.#parts;
    while (!(await keeps(store, rulebook.policy))) {
      log.error(
        { policy: rulebook.policy.digest },
        "the changed policy cannot be kept, so the last one stays in force",
      );
      if (this.#newest !== rulebook) return;
      await sleep(1_000, undefined, { ref: false });
      if (this.#newest !== rulebook) return;
    }
    if (this.#newest === rulebook) this.#enforce(rulebook);
  }

  #enforce(rulebook: Rulebook): void {
    const stale = needsRestart(this.#current.config, rulebook.config);
    this.#current = rulebook;
    this.#trusted = trust(this.#current);
    this.#masks = compileMasks(this.#current.masks);
    const { digest } = this.#current.policy;
    this.#parts.log.info({ policy: digest }, "configuration reloaded");
    const waiting = stale.length === 0 ? "" : `; waits for a restart: ${stale.join(", ")}`;
    if (waiting !== "") this.#parts.log.warn({ needsRestart: stale }, "a part of the change waits for a restart");
    this.#audit("configuration_loaded", `policy ${digest}${waiting}`);
  }

  /** Waits for no database any more. */
  stop(): void {
    this.#newest = this.#current;
  }

  readonly refused = (problems: readonly Problem[]): void => {
    const said = problems.map(formatProblem);
    this.#parts.log.error({ problems: said }, "the changed configuration is refused; the last good one stays in force");
    this.#audit("configuration_refused", said.join("\n").slice(0, 4000));
  };

  #audit(kind: "configuration_loaded" | "configuration_refused", reason: string): void {
    this.#parts.store.audit.append({ kind, who: "gateway", what: this.#current.config.file, reason });
  }
}

export const keptOf = ({ digest, source }: Policy): { digest: string; source: string } => ({
  digest,
  source: canonicalSource(source),
});

const keeps = (store: Store, policy: Policy): Promise<boolean> =>
  store.policies.keep(keptOf(policy)).then(
    () => true,
    () => false,
  );

const trust = ({ config, issuerAllow }: Rulebook): readonly TrustedIssuer[] =>
  config.identity.issuers.map((issuer) => {
    const allow = issuerAllow.get(issuer.name);
    if (allow === undefined) throw new Error(`issuer ${issuer.name} has no compiled allow`);
    return trustIssuer(issuer, allow.evaluate, { fetch, clock: () => new Date() });
  });
