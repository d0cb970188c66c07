/** What can come of a condition. */

/** What came of evaluating a condition once. An `error` quotes the policy's own text and never a value of the request. */
export type Outcome = boolean | BodyNeeded | Failed;

/** The condition cannot be settled without the body: of the request, or for a rule on answers of the response. */
export type BodyNeeded = { readonly needs: "body" };

export type Failed = { readonly error: string };
