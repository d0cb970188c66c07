/** A list of which only what is seen is drawn: all rows are equally high, so ten thousand cost what forty do. */

import type { ComponentChildren, RefObject } from "preact";
import { useEffect, useImperativeHandle, useRef, useState } from "preact/hooks";

export type WindowHandle = { show(index: number): void };

export type WindowedProps = {
  readonly count: number;
  readonly height: number;
  readonly class: string;
  readonly handle: RefObject<WindowHandle | null>;
  readonly row: (index: number) => ComponentChildren;
  onRange(first: number, last: number): void;
};

const spare = 8;

export function Windowed({ count, height, class: name, handle, row, onRange }: WindowedProps) {
  const box = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const [tall, setTall] = useState(600);
  useEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    const sized = new ResizeObserver(() => setTall(element.clientHeight));
    sized.observe(element);
    return () => sized.disconnect();
  }, []);
  useImperativeHandle(handle, () => ({
    show: (index) => {
      const element = box.current;
      if (element === null) return;
      const at = index * height;
      const isSeen = at >= element.scrollTop && at + height <= element.scrollTop + element.clientHeight;
      // What comes into view comes into the middle, where its neighbours are seen too.
      if (!isSeen) element.scrollTop = at - (element.clientHeight - height) / 2;
    },
  }));
  const first = Math.max(0, Math.floor(top / height) - spare);
  const last = Math.min(count, Math.ceil((top + tall) / height) + spare);
  const seen = [Math.max(0, Math.floor(top / height)), Math.min(count, Math.ceil((top + tall) / height))] as const;
  useEffect(() => onRange(seen[0], seen[1]), [seen[0], seen[1]]);
  return (
    <div
      ref={box}
      class={`window ${name}`}
      role="rowgroup"
      tabIndex={0}
      onScroll={(event) => setTop(event.currentTarget.scrollTop)}
    >
      <div class="sizer" role="presentation" style={{ height: `${count * height}px` }}>
        <div class="rows" role="presentation" style={{ transform: `translateY(${first * height}px)` }}>
          {Array.from({ length: Math.max(0, last - first) }, (_, index) => row(first + index))}
        </div>
      </div>
    </div>
  );
}
