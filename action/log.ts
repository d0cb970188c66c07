/** One line per thing worth knowing, with its time; the relay's log is printed by `post`, `dogwatch run` prints it live. */

export type Log = (line: string) => void;

type LineSink = { write(text: string): unknown };

/** One line without control characters, which could forge lines, workflow commands or a terminal's, nor such as turn the reading direction. */
export const printable = (text: string): string =>
  text
    .replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, " ")
    .replace(/[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "\ufffd");

export const logTo =
  (sink: LineSink, clock: () => Date = () => new Date()): Log =>
  (line) => {
    sink.write(`${clock().toISOString()} ${printable(line)}\n`);
  };
