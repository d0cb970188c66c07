/** One line per thing worth knowing, with its time; the relay's log is printed by `post`, `dogwatch run` prints it live. */

export type Log = (line: string) => void;

type LineSink = { write(text: string): unknown };

/** Control characters could forge lines or workflow commands. */
const printable = (text: string): string => text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, " ");

export const logTo =
  (sink: LineSink, clock: () => Date = () => new Date()): Log =>
  (line) => {
    sink.write(`${clock().toISOString()} ${printable(line)}\n`);
  };
