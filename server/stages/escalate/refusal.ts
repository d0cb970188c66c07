/** What a caller hears whose call was held and does not pass. */

import { type Refusal, refuse } from "../../errors.ts";
import type { Approval } from "../../model/approval.ts";

/** `url`: the approval's page. */
export const refusalOf = (_approval: Approval, _url: string): Refusal => refuse("approval_required", "not built yet");
