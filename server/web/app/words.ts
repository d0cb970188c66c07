/** Times, sizes and names as people read them. */

export const duration = (ms: number): string => {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 59_500) return `${(ms / 1_000).toFixed(ms < 9_950 ? 1 : 0)} s`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} m ${seconds % 60} s`;
  return `${Math.floor(seconds / 3_600)} h ${Math.floor((seconds % 3_600) / 60)} m`;
};

export const bytes = (size: number): string => {
  if (size < 1024) return `${size} B`;
  if (size < 1024 * 1024) return `${(size / 1024).toFixed(1)} KiB`;
  return `${(size / 1024 / 1024).toFixed(1)} MiB`;
};

export const number = (value: number): string => String(value).replaceAll(/\B(?=(\d{3})+$)/g, "\u2009");

/** `2026-11-29 06:35:41`, in the reader's own zone. */
export const moment = (time: string): string => {
  const date = new Date(time);
  const two = (value: number): string => String(value).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
};

export const ago = (time: string, now: number): string => {
  const ms = now - Date.parse(time);
  if (ms < 60_000) return "just now";
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min ago`;
  if (ms < 86_400_000) return `${Math.floor(ms / 3_600_000)} h ago`;
  return `${Math.floor(ms / 86_400_000)} d ago`;
};

/** `12 m 30 s` until then. */
export const leftUntil = (time: string, now: number): string => {
  const ms = Date.parse(time) - now;
  return ms > 0 ? duration(Math.ceil(ms / 1_000) * 1_000).replace(".0 s", " s") : "expiring";
};

/** `DeleteMonitor` of `v1.MonitorsApi.DeleteMonitor`. */
export const shortName = (operation: string): string => operation.slice(operation.lastIndexOf(".") + 1);

export const plural = (count: number, word: string): string => `${number(count)} ${word}${count === 1 ? "" : "s"}`;
