/** Ways to take a session along; with its proof once it is sealed, for whoever sees everything. */

import type { SessionJson } from "../../contract.ts";
import { exportFormatNames } from "../searching.ts";

export type Provable = "yes" | "no";

export const Exports = ({
  session: { id, seal },
  provable,
}: {
  readonly session: SessionJson;
  readonly provable: Provable;
}) => (
  <p class="exports">
    <span class="soft">Take along:</span>{" "}
    {exportFormatNames.map(({ format, name }) => (
      <>
        <a key={format} href={`/v1/sessions/${id}/export?format=${format}`} download>
          {name}
        </a>{" "}
      </>
    ))}
    {provable === "yes" && seal !== null && (
      <a href={`/v1/proof?session=${id}`} download>
        with its proof
      </a>
    )}
  </p>
);
