/** CODE: what a person types to show which question they mean. */

/** `nonce` is fresh for every question, so that nobody who knows a request can guess its CODE. */
export type CodeOf = { readonly approval_id: string; readonly nonce: string; readonly digest: string };

export const codeOf = (_of: CodeOf, _key: Buffer): string => {
  throw new Error("not built yet");
};
