/** A recording that cannot be served: nothing of it is, since whatever is left out would look as if it had never been recorded. */

import { WrongUsage } from "../api.ts";

export class BadRecording extends WrongUsage {}

export const sayWhere = (line: number): string => `line ${line}`;

export const exportAgain = "export the session again, and serve the file as it was written";
