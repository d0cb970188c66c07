/** What an id tells of itself: RFC 9562 §5.7. */

/** When it was made, ms since 1970-01-01: its first twelve digits, with or without the hyphen behind the eighth. */
export const timeOf = (id: string): number => Number.parseInt(id.slice(0, 13).replace("-", "").slice(0, 12), 16);
