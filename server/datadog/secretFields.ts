/** Where Datadog's API carries secrets: the fields that no recording shows, per operation. */

import generated from "./secretFields.generated.json" with { type: "json" };
import { byHand } from "./secretJudgement.ts";

/** `path`: JSONPath from the body's top. `unless`: a member beside the field that says, with `false`, that it holds no secret this time. */
export type SecretField = { readonly path: string; readonly unless?: string };

export type SecretFields = { readonly request: readonly SecretField[]; readonly response: readonly SecretField[] };

/** One operation as scripts/secretFields.ts found it in the official client's types. */
export type GeneratedSecretFields = SecretFields & { readonly id: string };

const none: SecretFields = { request: [], response: [] };

const known: ReadonlyMap<string, SecretFields> = buildTable();

export const secretFieldsOf = (operation: string): SecretFields => known.get(operation) ?? none;

/** Every operation that has any, for the page in docs/ and for the tests. */
export const operationsWithSecrets = (): readonly string[] => [...known.keys()];

function buildTable(): ReadonlyMap<string, SecretFields> {
  const table = new Map<string, SecretFields>();
  for (const { id, request, response } of generated.operations as readonly GeneratedSecretFields[])
    table.set(id, { request, response });
  for (const { operations, request = [], response = [] } of byHand)
    for (const id of operations) {
      const found = table.get(id) ?? none;
      table.set(id, { request: [...found.request, ...request], response: [...found.response, ...response] });
    }
  return table;
}
