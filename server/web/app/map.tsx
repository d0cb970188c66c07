/** The whole session in one picture: a lane for each decision, a mark for each call, so that denials are seen among ten thousand. */

import { useEffect, useRef } from "preact/hooks";
import type { OutlinedCallJson } from "../../contract.ts";
import type { Effect } from "./marks.tsx";
import { effectWords } from "./marks.tsx";

export type MapProps = {
  readonly calls: readonly OutlinedCallJson[];
  readonly selected: number;
  select(index: number): void;
};

const lanes: readonly Effect[] = ["allow", "approve", "observe", "deny"];
const labelWidth = 62;
const laneHeight = 17;

export function SessionMap({ calls, selected, select }: MapProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const element = canvas.current;
    if (element === null) return undefined;
    const redraw = (): void => draw(element, calls, selected);
    redraw();
    const sized = new ResizeObserver(redraw);
    sized.observe(element);
    const dark = matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", redraw);
    return () => {
      sized.disconnect();
      dark.removeEventListener("change", redraw);
    };
  }, [calls, selected]);
  const counts = lanes
    .map((effect) => `${calls.filter(({ decision }) => decision.effect === effect).length} ${effectWords[effect]}`)
    .join(", ");
  const pressed = (event: MouseEvent): void => {
    const box = canvas.current?.getBoundingClientRect();
    if (box === undefined) return;
    const lane = lanes[Math.floor((event.clientY - box.top - 3) / laneHeight)];
    select(nearest(calls, (event.clientX - box.left - labelWidth) / (box.width - labelWidth - 8), lane));
  };
  return <canvas ref={canvas} class="map" role="img" aria-label={`Calls over time: ${counts}`} onClick={pressed} />;
}

const timesOf = (calls: readonly OutlinedCallJson[]): { readonly from: number; readonly length: number } => {
  const from = Date.parse(calls[0]?.received_at ?? "1970-01-01");
  const to = Date.parse(calls.at(-1)?.received_at ?? "1970-01-01");
  return { from, length: Math.max(1, to - from) };
};

function nearest(calls: readonly OutlinedCallJson[], share: number, lane: Effect | undefined): number {
  const { from, length } = timesOf(calls);
  const wanted = from + share * length;
  let best = -1;
  let distance = Number.POSITIVE_INFINITY;
  calls.forEach((call, index) => {
    const away = Math.abs(Date.parse(call.received_at) - wanted) + (call.decision.effect === lane ? 0 : length);
    if (away < distance) [best, distance] = [index, away];
  });
  return best;
}

function draw(canvas: HTMLCanvasElement, calls: readonly OutlinedCallJson[], selected: number): void {
  const ratio = devicePixelRatio;
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  const pen = canvas.getContext("2d");
  if (pen === null) return;
  pen.scale(ratio, ratio);
  const styles = getComputedStyle(canvas);
  const colours = coloursOf(canvas);
  pen.font = `11px ${styles.fontFamily}`;
  pen.textBaseline = "middle";
  lanes.forEach((effect, lane) => {
    const y = 3 + lane * laneHeight;
    pen.fillStyle = colours.soft;
    pen.fillText(effectWords[effect], 10, y + laneHeight / 2);
    pen.fillStyle = colours.line;
    pen.fillRect(labelWidth, y + laneHeight - 1, width - labelWidth - 8, 1);
  });
  const { from, length } = timesOf(calls);
  const placeOf = (call: OutlinedCallJson): number =>
    labelWidth + 2 + ((Date.parse(call.received_at) - from) / length) * (width - labelWidth - 14);
  for (const call of calls) {
    const y = 3 + lanes.indexOf(call.decision.effect) * laneHeight;
    pen.fillStyle = colours[call.access];
    // What destroys stands higher than what reads, so that it is told apart without its colour.
    const tall = call.access === "read" ? 6 : call.access === "destructive" ? 13 : 10;
    pen.fillRect(placeOf(call), y + laneHeight - 2 - tall, 2, tall);
  }
  const current = calls[selected];
  if (current === undefined) return;
  pen.fillStyle = colours.ink;
  pen.fillRect(placeOf(current) + 0.5, 0, 1, height);
}

const names = ["read", "write", "destructive", "submit", "unknown", "soft", "line", "ink"] as const;
type Colours = Readonly<Record<(typeof names)[number], string>>;

/** The stylesheet's own, as they are in this light: a canvas knows no variables, and `light-dark()` is resolved on an element only. */
function coloursOf(canvas: HTMLCanvasElement): Colours {
  const before = canvas.style.color;
  const found = names.map((name) => {
    canvas.style.color = `var(--${name})`;
    return [name, getComputedStyle(canvas).color] as const;
  });
  canvas.style.color = before;
  return Object.fromEntries(found) as Colours;
}
