/** What GitHub takes as text, and how much of it. */

import { z } from "zod";
import { type Reply, invalid } from "./reply.ts";

/** Characters of a comment or an issue. */
const longestBody = 65_536;

const withBody = z.object({ body: z.string() });

/** The text of a comment, or the refusal of it. */
export function readBody(body: unknown, resource: string): string | Reply {
  const read = withBody.safeParse(body);
  if (!read.success) return invalid(resource, "body", { code: "missing_field" });
  const { body: text } = read.data;
  if (text.trim() === "") return invalid(resource, "body", { code: "custom", message: "body cannot be blank" });
  return isTooLong(text) ? tooLong(resource) : text;
}

export const isTooLong = (text: string | undefined): boolean =>
  text !== undefined && Array.from(text).length > longestBody;

export const tooLong = (resource: string): Reply =>
  invalid(resource, "body", {
    code: "custom",
    message: `body is too long (maximum is ${longestBody} characters)`,
  });
