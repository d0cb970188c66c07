/** A button that copies, and says so. */

import { useState } from "preact/hooks";

export function CopyButton({ what, text }: { readonly what: string; readonly text: () => string }) {
  const [said, setSaid] = useState<string | null>(null);
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text());
      setSaid("Copied");
    } catch {
      setSaid(copyOldWay(text()) ? "Copied" : "The browser does not allow it");
    }
    setTimeout(() => setSaid(null), 2_000);
  };
  return (
    <button type="button" class="quiet" data-copy={what} onClick={() => void copy()}>
      <span aria-live="polite">{said ?? `Copy ${what === "curl" ? "as curl" : what}`}</span>
    </button>
  );
}

/** On a gateway that is seen without TLS browsers offer no clipboard. */
function copyOldWay(text: string): boolean {
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  const isDone = document.execCommand("copy");
  area.remove();
  return isDone;
}
