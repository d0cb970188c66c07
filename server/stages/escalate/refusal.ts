/** What a caller hears whose call was held and does not pass. */

import { type Refusal, refuse } from "../../errors.ts";
import { type Approval, refusalCodes } from "../../model/approval.ts";
import { short } from "./visible.ts";
import { lasting, utc } from "./when.ts";

/** `url`: the approval's page. */
export function refusalOf(approval: Approval, url: string): Refusal {
  const name = approval.operation.split(".").at(-1) ?? approval.operation;
  const say = (message: string): Refusal =>
    refuse(
      approval.state === "approved" ? "approval_required" : refusalCodes[approval.state],
      `${name} ${message} (${url})`,
    );
  switch (approval.state) {
    case "pending":
      return say(
        `waits for a person's approval until ${utc(approval.expires_at)}; nothing was sent. Send the identical request again: it joins the same question, and passes once when it is approved`,
      );
    case "approved":
      return say("was approved, and could not be sent just now; nothing was sent. Send the identical request again");
    case "denied":
      return say(`was not approved: ${short(approval.reason, 300)}; nothing was sent`);
    case "expired":
      return say(
        `was not approved within ${lasting(approval.expires_at.getTime() - approval.asked_at.getTime())}; nothing was sent. Sending it again asks again`,
      );
    case "stale":
      return say(
        `was approved, and is not valid any more: ${short(approval.reason, 300)}; nothing was sent. Sending it again asks again`,
      );
    case "cancelled":
      return say(`is not asked for any more: ${short(approval.reason, 300)}; nothing was sent`);
    case "consumed":
      return say("was approved for one request, and that one was sent; this one was not. Sending it again asks again");
    default:
      return approval.state satisfies never;
  }
}
