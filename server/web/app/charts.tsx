/** Charts that are read without telling colours apart: patterns beside colours, and every number in words. */

import type { Counted, Slot } from "./tallies.ts";
import { effectWords, type Effect } from "./marks.tsx";
import { Shown } from "./shown.tsx";
import { moment, number } from "./words.ts";

const order: readonly Effect[] = ["allow", "observe", "approve", "deny"];
const colours = {
  allow: "var(--good)",
  observe: "var(--soft)",
  approve: "var(--warn)",
  deny: "var(--bad)",
} as const satisfies Record<Effect, string>;

const [width, height, left, foot] = [900, 190, 46, 22] as const;

export function OverTime({ slots, step }: { readonly slots: readonly Slot[]; readonly step: number }) {
  const totals = slots.map(({ counts }) => order.reduce((sum, effect) => sum + (counts[effect] ?? 0), 0));
  const most = totals.reduce((a, b) => Math.max(a, b), 1);
  const each = (width - left) / Math.max(1, slots.length);
  const scale = (height - foot - 8) / most;
  const said = order
    .map(
      (effect) => `${number(slots.reduce((sum, { counts }) => sum + (counts[effect] ?? 0), 0))} ${effectWords[effect]}`,
    )
    .join(", ");
  return (
    <>
      <svg
        class="chart"
        viewBox={`0 0 ${width} ${height}`}
        role="img"
        aria-label={`Calls over time, ${stepWords(step)} a bar: ${said}`}
      >
        <Patterns />
        <line class="axis" x1={left} x2={width} y1={height - foot} y2={height - foot} />
        <text x={left - 6} y={14} text-anchor="end">
          {number(most)}
        </text>
        <text x={left - 6} y={height - foot} text-anchor="end">
          0
        </text>
        {slots.map((slot, index) => (
          <Stack key={slot.from} slot={slot} x={left + index * each} each={each} scale={scale} />
        ))}
        {slots.length > 0 && (
          <text x={left} y={height - 6}>
            {moment(new Date(slots[0]?.from ?? 0).toISOString()).slice(0, 16)}
          </text>
        )}
        {slots.length > 1 && (
          <text x={width} y={height - 6} text-anchor="end">
            {moment(new Date(slots.at(-1)?.from ?? 0).toISOString()).slice(0, 16)}
          </text>
        )}
      </svg>
      <div class="legend">
        {order.map((effect) => (
          <span key={effect}>
            <svg width="16" height="12" aria-hidden="true">
              <rect width="16" height="12" fill={fillOf(effect)} stroke={colours[effect]} />
            </svg>
            {effectWords[effect]}
          </span>
        ))}
        <span>one bar is {stepWords(step)}</span>
      </div>
    </>
  );
}

const stepWords = (step: number): string =>
  step < 3_600_000
    ? `${Math.round(step / 60_000)} min`
    : step < 86_400_000
      ? `${Math.round(step / 3_600_000)} h`
      : `${Math.round(step / 86_400_000)} d`;

const fillOf = (effect: Effect): string => (effect === "allow" ? colours.allow : `url(#pattern-${effect})`);

/** Solid, dots, bars, hatching. */
const Patterns = () => (
  <defs>
    <pattern id="pattern-observe" width="5" height="5" patternUnits="userSpaceOnUse">
      <circle cx="2.5" cy="2.5" r="1.2" fill={colours.observe} />
    </pattern>
    <pattern id="pattern-approve" width="4" height="4" patternUnits="userSpaceOnUse">
      <rect width="2" height="4" fill={colours.approve} />
    </pattern>
    <pattern id="pattern-deny" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
      <rect width="2.4" height="5" fill={colours.deny} />
    </pattern>
  </defs>
);

function Stack({
  slot,
  x,
  each,
  scale,
}: {
  readonly slot: Slot;
  readonly x: number;
  readonly each: number;
  readonly scale: number;
}) {
  let top = height - foot;
  return (
    <g>
      <title>{`${moment(new Date(slot.from).toISOString())}: ${order.map((effect) => `${slot.counts[effect] ?? 0} ${effectWords[effect]}`).join(", ")}`}</title>
      {order.map((effect) => {
        const count = slot.counts[effect] ?? 0;
        if (count === 0) return null;
        // What is rare is seen too.
        const tall = Math.max(3, count * scale);
        top -= tall;
        return (
          <rect
            key={effect}
            x={x + 1}
            y={top}
            width={Math.max(1.5, Math.min(each - 2, 40))}
            height={tall}
            fill={fillOf(effect)}
            stroke={colours[effect]}
            stroke-width="0.7"
          />
        );
      })}
    </g>
  );
}

export type RankedProps = {
  readonly items: readonly Counted[];
  readonly most: number;
  readonly href?: (name: string) => string;
};

/** The most frequent, with their share as a bar and as a number. */
export const Ranked = ({ items, most, href }: RankedProps) =>
  items.length === 0 ? (
    <p class="soft">None.</p>
  ) : (
    <dl class="ranked">
      {items.slice(0, most).map(({ name, count }) => (
        <RankedLine key={name} name={name} count={count} of={items[0]?.count ?? 1} href={href?.(name)} />
      ))}
    </dl>
  );

const RankedLine = ({
  name,
  count,
  of,
  href,
}: Counted & { readonly of: number; readonly href: string | undefined }) => (
  <div style={{ display: "contents" }}>
    <dt>
      {href === undefined ? (
        <Shown text={name} />
      ) : (
        <a href={href}>
          <Shown text={name} />
        </a>
      )}
    </dt>
    <dd class="meter" aria-hidden="true">
      <i style={{ width: `${Math.max(2, (count / of) * 100)}%` }} />
    </dd>
    <dd class="n">{number(count)}</dd>
  </div>
);
