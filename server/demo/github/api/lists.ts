/** Comments in the order, and since the time, that was asked for. */

import { time } from "../ids.ts";
import type { Comment } from "../state.ts";
import type { Call } from "./reply.ts";

/** Without `sort` by id, whatever the direction; times are compared to the second, as they are written. */
export function inOrder<C extends Comment>(
  comments: readonly C[],
  { sort, direction = "desc", since }: Call["query"],
): C[] {
  const from = since === undefined ? "" : time(new Date(since));
  const kept = comments.filter(({ updated_at }) => time(updated_at) >= from);
  if (sort !== "created" && sort !== "updated") return kept.toSorted((a, b) => a.id - b.id);
  const at = (comment: C): number => (sort === "updated" ? comment.updated_at : comment.created_at).getTime();
  const sorted = kept.toSorted((a, b) => at(a) - at(b) || a.id - b.id);
  return direction === "asc" ? sorted : sorted.toReversed();
}
