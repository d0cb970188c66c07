/** What the colours and shapes of the waterfall mean. */

import { AccessMark } from "./marks.tsx";

export const Legend = () => (
  <div class="legend">
    {(["read", "submit", "write", "destructive", "unknown"] as const).map((access) => (
      <span key={access}>
        <AccessMark access={access} /> {access}
      </span>
    ))}
    <span>
      <i class="bar read allow" /> allowed
    </span>
    <span>
      <i class="bar read approve" /> asked people
    </span>
    <span>
      <i class="bar held" /> held
    </span>
    <span>
      <i class="bar deny" /> denied
    </span>
    <span>
      <i class="bar observe" /> observed
    </span>
  </div>
);
