/** What people are shown of a held call, and what is kept of the question: keys taken out, masks applied. */

import { segmentsOf } from "../../datadog/catalogue.ts";
import { maskPath } from "../../datadog/credentials.ts";
import type { Operation } from "../../model/operation.ts";
import { headerOf } from "../../stages/forward/endToEnd.ts";
import { maskHeaderValue, maskPathText } from "../../stages/mask/beside.ts";
import type { Masking } from "../../stages/mask/masking.ts";
import type { Call, Judged } from "./parts.ts";

export const pathShown = (call: Call, { masking, operation }: Judged): string =>
  maskPathText(masking, maskPath(operation, call.presented.path), []);

/** What names it comes out of the path as people see it; a key that is taken out there names nothing. */
export const operationShown = (call: Call, judged: Judged): Operation => {
  const { operation } = judged;
  const path = pathShown(call, judged);
  if (!operation.known) return { ...operation, path };
  const segments = segmentsOf(path);
  const places = segmentsOf(operation.path);
  const params = Object.keys(operation.params).flatMap((name): [string, string][] => {
    const placeholder = `{${name}}`;
    const segment = segments.length === places.length ? segments[places.indexOf(placeholder)] : undefined;
    return segment === undefined || segment === placeholder ? [] : [[name, decoded(segment)]];
  });
  return { ...operation, params: Object.fromEntries(params) };
};

const decoded = (segment: string): string => {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
};

/** Another one has another token, and so is bound as another one. */
export const contentTypeShown = ({ presented: { headers } }: Call, masking: Masking): string | null => {
  const value = headerOf(headers, "content-type");
  return value === null ? null : maskHeaderValue(masking, { name: "content-type", value }, []);
};
