/** Where two values as `readJson` makes them differ, field by field: how many there are is bounded, and so is what is said of each. */

/** `body.options.thresholds.critical`; what is not there on one side is undefined there. */
export type FieldDifference = { readonly path: string; readonly recorded: unknown; readonly sent: unknown };

/** `name`: of the member that a value belongs to, however many lists are between. `most`: after so many nobody looks on. */
export type Comparing = {
  readonly same: (recorded: unknown, sent: unknown, name: string) => boolean;
  readonly most: number;
};

/** In the order of what was recorded; what was only sent comes after it, object by object. */
export function differencesOf(recorded: unknown, sent: unknown, comparing: Comparing): readonly FieldDifference[] {
  const comparison = new Comparison(comparing);
  comparison.compare(recorded, sent, { before: null, step: "" });
  return comparison.found;
}

/** Written out only where something differs. */
type Place = { readonly before: Place | null; readonly step: string | number };

class Comparison {
  readonly found: FieldDifference[] = [];
  readonly #comparing: Comparing;
  constructor(comparing: Comparing) {
    this.#comparing = comparing;
  }

  compare(recorded: unknown, sent: unknown, place: Place): void {
    if (this.found.length >= this.#comparing.most) return;
    if (recorded instanceof Map && sent instanceof Map) return this.#members(recorded, sent, place);
    if (Array.isArray(recorded) && Array.isArray(sent)) return this.#items(recorded, sent, place);
    if (this.#comparing.same(recorded, sent, nameOf(place))) return;
    this.found.push({ path: written(place), recorded, sent });
  }

  #members(recorded: ReadonlyMap<string, unknown>, sent: ReadonlyMap<string, unknown>, before: Place): void {
    for (const [step, value] of recorded) this.compare(value, sent.get(step), { before, step });
    for (const [step, value] of sent) if (!recorded.has(step)) this.compare(undefined, value, { before, step });
  }

  #items(recorded: readonly unknown[], sent: readonly unknown[], before: Place): void {
    for (let step = 0; step < Math.max(recorded.length, sent.length); step++) {
      if (this.found.length >= this.#comparing.most) return;
      this.compare(recorded[step], sent[step], { before, step });
    }
  }
}

const nameOf = (place: Place): string => {
  let at: Place | null = place;
  while (at !== null && typeof at.step === "number") at = at.before;
  return typeof at?.step === "string" ? at.step : "";
};

const longestPath = 200;
const plainName = /^[A-Za-z_$][\w$-]*$/;

const written = (place: Place): string => {
  const steps: string[] = [];
  for (let at: Place | null = place; at !== null && at.before !== null; at = at.before) {
    const { step } = at;
    if (typeof step === "number") steps.push(`[${step}]`);
    else steps.push(plainName.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`);
  }
  const path = steps.toReversed().join("").replace(/^\./, "");
  return path.length > longestPath ? `${path.slice(0, longestPath - 1)}…` : path;
};
