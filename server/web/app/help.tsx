/** What the keys do, in a dialog that `?` opens. */

import { useEffect, useRef } from "preact/hooks";
import { keyHelp, listen } from "./keys.ts";

const places: Readonly<Record<string, string>> = {
  s: "/sessions",
  f: "/search",
  a: "/approvals",
  o: "/overview",
  p: "/policy",
};

export function Help() {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    let before = "";
    return listen((key) => {
      // The second of two keys means something only right after the first.
      const place = before === "g" ? places[key] : undefined;
      before = key;
      if (place !== undefined) return () => location.assign(place);
      if (key === "/" && document.querySelector("#q") === null) return () => location.assign("/search");
      return key === "?" ? () => dialog.current?.showModal() : undefined;
    });
  }, []);
  return (
    <dialog ref={dialog} aria-labelledby="keys">
      <h2 id="keys">Keys</h2>
      <dl>
        {keyHelp.map(([keys, what]) => (
          <div key={keys} style={{ display: "contents" }}>
            <dt>
              {keys.split(" ").map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <form method="dialog">
        <button class="quiet">Close</button>
      </form>
    </dialog>
  );
}
