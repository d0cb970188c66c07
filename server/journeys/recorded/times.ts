/** Times in requests: what asks for the last quarter of an hour asks for another one every time. */

/** By exact name, as query parameter and as member of a JSON object, also through lists. */
export const timeNames: ReadonlySet<string> = new Set(
  [
    "from to start end since until now time timestamp ts date",
    "from_ts to_ts start_ts end_ts from_time to_time start_time end_time start_at end_at start_date end_date",
    "start_hr end_hr start_month end_month date_happened event_time points",
    "filter[from] filter[to] filter[start] filter[end]",
  ]
    .join(" ")
    .split(" "),
);

const instant = /^\d{4}-\d{2}(?:-\d{2}(?:T[\d:.]+(?:Z|[+-]\d{2}:?\d{2})?)?)?$/;
const epoch = /^\d{10,19}(?:\.\d+)?$/;
const relative = /^now(?:[+-]\d+[a-zA-Z]{1,2})?(?:\/[a-zA-Z])?$/;
const longest = 40;

/** Seconds from 2001 on, up to nanoseconds. */
const [first, last] = [1e9, 1e19];

/** Whether a value of that name is a time: `start: 20` is a page. */
export const isTime = (name: string, value: unknown): boolean => {
  if (!timeNames.has(name)) return false;
  switch (typeof value) {
    case "string":
      return value.length <= longest && (instant.test(value) || epoch.test(value) || relative.test(value));
    case "number":
    case "bigint":
      return value >= first && value <= last;
    default:
      return false;
  }
};
