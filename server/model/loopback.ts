/** Addresses of this machine itself: the only ones to which anything travels without TLS. */

/** `hostname` in its one spelling, as `new URL()` gives it (numbers normalized, IPv6 in brackets). */
export const isLoopback = (hostname: string): boolean =>
  hostname === "localhost" || hostname === "[::1]" || /^127(\.\d{1,3}){3}$/.test(hostname);
