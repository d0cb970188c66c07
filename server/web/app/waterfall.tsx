/** The calls of a session, one a line, each with its bar in time. */

import type { RefObject } from "preact";
import { useState } from "preact/hooks";
import type { OutlinedCallJson } from "../../contract.ts";
import { AccessMark, EffectBadge, effectWords } from "./marks.tsx";
import { Shown } from "./shown.tsx";
import { cut } from "./pieces.ts";
import { duration, shortName } from "./words.ts";
import { Windowed, type WindowHandle } from "./windowed.tsx";

export type WaterfallProps = {
  readonly calls: readonly OutlinedCallJson[];
  /** Index of the one that is looked at; -1: none. */
  readonly selected: number;
  /** Calls after this index have not come yet in the playback. */
  readonly until: number;
  readonly now: number;
  readonly scale: "session" | "view";
  readonly handle: RefObject<WindowHandle | null>;
  select(index: number): void;
  open(index: number): void;
};

const rowHeight = 28;

export function Waterfall(props: WaterfallProps) {
  const { calls, selected, until, scale, now, handle, select, open } = props;
  const [seen, setSeen] = useState<readonly [number, number]>([0, 40]);
  const span = spanOf(scale === "session" ? calls : calls.slice(seen[0], seen[1]), now);
  const pressed = (event: KeyboardEvent): void => {
    const moves: Readonly<Record<string, number>> = {
      ArrowDown: 1,
      ArrowUp: -1,
      PageDown: 20,
      PageUp: -20,
      Home: -calls.length,
      End: calls.length,
    };
    const move = moves[event.key];
    if (move !== undefined) select(Math.min(calls.length - 1, Math.max(0, selected + move)));
    else if (event.key === "Enter" && selected >= 0) open(selected);
    else return;
    event.preventDefault();
  };
  return (
    <div
      class="grid-of-calls"
      role="grid"
      aria-label="Calls"
      aria-rowcount={calls.length + 1}
      aria-activedescendant={selected < 0 ? undefined : `row-${selected}`}
      tabIndex={0}
      onKeyDown={pressed}
    >
      <Head span={span} />
      <Windowed
        count={calls.length}
        height={rowHeight}
        class="calls"
        handle={handle}
        onRange={(first, last) => setSeen([first, last])}
        row={(index) => {
          const call = calls[index];
          if (call === undefined) return null;
          return (
            <Line
              key={call.n}
              call={call}
              index={index}
              span={span}
              now={now}
              isSelected={index === selected}
              isFuture={index > until}
              select={select}
              open={open}
            />
          );
        }}
      />
    </div>
  );
}

type Span = { readonly from: number; readonly length: number };

const spanOf = (calls: readonly OutlinedCallJson[], now: number): Span => {
  const first = calls[0];
  if (first === undefined) return { from: 0, length: 1 };
  const from = Date.parse(first.received_at);
  const to = calls.reduce((latest, call) => Math.max(latest, endOf(call, now)), from);
  return { from, length: Math.max(1, to - from) };
};

const endOf = (call: OutlinedCallJson, now: number): number =>
  call.done_at === null ? (call.state === "open" ? now : Date.parse(call.decided_at)) : Date.parse(call.done_at);

const Head = ({ span }: { readonly span: Span }) => (
  <div role="rowgroup">
    <div class="row head" role="row" aria-rowindex={1}>
      <span role="columnheader" class="n">
        #
      </span>
      <span role="columnheader">
        <span class="unseen">Access</span>
      </span>
      <span role="columnheader">Operation</span>
      <span role="columnheader" class="path">
        Path
      </span>
      <span role="columnheader" class="effect-word">
        Decision
      </span>
      <span role="columnheader" class="status">
        Status
      </span>
      <span role="columnheader" class="ms">
        Time
      </span>
      <span role="columnheader" class="track">
        {duration(span.length)}
      </span>
    </div>
  </div>
);

type LineProps = {
  readonly call: OutlinedCallJson;
  readonly index: number;
  readonly span: Span;
  readonly now: number;
  readonly isSelected: boolean;
  readonly isFuture: boolean;
} & Pick<WaterfallProps, "select" | "open">;

const Line = ({ call, index, span, now, isSelected, isFuture, select, open }: LineProps) => {
  const took = endOf(call, now) - Date.parse(call.received_at);
  return (
    <div
      id={`row-${index}`}
      class={`row ${isFuture ? "future" : ""}`}
      role="row"
      aria-rowindex={index + 2}
      aria-selected={isSelected}
      onClick={() => select(index)}
      onDblClick={() => open(index)}
    >
      <span role="gridcell" class="n">
        {call.n}
      </span>
      <span role="gridcell">
        <AccessMark access={call.access} />
      </span>
      <span role="gridcell">{shortName(call.operation)}</span>
      <span role="gridcell" class="path">
        <Shown text={cut(`${call.method} ${call.path}`, 300)} />
      </span>
      <span role="gridcell" class="effect-word">
        <EffectBadge effect={call.decision.effect} />
      </span>
      <span role="gridcell" class={`status ${(call.status ?? 0) >= 400 ? "bad" : ""}`}>
        {call.status ?? (call.state === "open" ? "…" : "–")}
      </span>
      <span role="gridcell" class="ms">
        {duration(took)}
      </span>
      <span role="gridcell" class="track">
        <Bars call={call} span={span} now={now} />
      </span>
    </div>
  );
};

/** Thin while it was held, thick while Datadog worked. */
function Bars({ call, span, now }: { readonly call: OutlinedCallJson; readonly span: Span; readonly now: number }) {
  const received = Date.parse(call.received_at);
  const sent = call.forwarded_at === null ? received : Date.parse(call.forwarded_at);
  const end = endOf(call, now);
  const place = (from: number, to: number) => ({
    left: `${clamp(((from - span.from) / span.length) * 100, 99)}%`,
    width: `${clamp(((to - from) / span.length) * 100, 100)}%`,
  });
  return (
    <>
      {sent - received > 20 && <i class="bar held" style={place(received, sent)} />}
      <i
        class={`bar ${call.access} ${call.decision.effect} ${call.state === "open" ? "going" : ""}`}
        style={place(sent, end)}
        title={`${effectWords[call.decision.effect]}, ${duration(end - received)}`}
      />
    </>
  );
}

const clamp = (value: number, most: number): number => Math.min(most, Math.max(0, value));
