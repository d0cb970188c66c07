/** What parts write to the log through; pino's logger is one. */

type Write = (fields: object, message: string) => void;

export type Log = { readonly info: Write; readonly warn: Write; readonly error: Write };
