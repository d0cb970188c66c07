/** Finds words in the shorthands of a rule that nothing is called by: such a rule would never match. */

import { RE2JS } from "re2js";
import { callerKeys, type Finding, operationKeys, type RuleSource } from "../../model/config.ts";
import { nearest } from "../../model/nearest.ts";
import { accessClasses } from "../../model/operation.ts";
import type { Vocabulary } from "./flaws.ts";
import { expressionOf, isPattern } from "./shorthand.ts";

/** Paths begin at the rule: `["operations", 0, "name", 0]`. */
export const unknownWords = (rule: RuleSource, vocabulary: Vocabulary): Finding[] => [
  ...(rule.callers ?? []).flatMap((pattern, index) =>
    callerKeys.flatMap((key) =>
      (pattern[key] ?? []).flatMap((word, at) => {
        const known = key === "issuer" ? issuersLike(word, vocabulary) : undefined;
        return complain(word, known, { path: ["callers", index, key, at], what: "no issuer" });
      }),
    ),
  ),
  ...(rule.operations ?? []).flatMap((pattern, index) =>
    operationKeys.flatMap((key) =>
      (pattern[key] ?? []).flatMap((word, at) =>
        complain(word, vocabulary[`operation.${key}`], {
          path: ["operations", index, key, at],
          what: `no ${nouns[key]}`,
          others: key === "name" ? [...accessClasses, ...(vocabulary["operation.api"] ?? [])] : [],
        }),
      ),
    ),
  ),
];

const nouns = { access: "access class", api: "API", name: "operation", id: "operation's id" } as const;

const issuersLike = (word: string, vocabulary: Vocabulary): readonly string[] | undefined =>
  vocabulary[word.includes("://") ? "caller.issuer" : "caller.issuer_name"];

type Place = {
  readonly path: Finding["path"];
  readonly what: string;
  /** Words that may have been meant although they are of another kind. */
  readonly others?: readonly string[];
};

const complain = (
  word: string,
  known: readonly string[] | undefined,
  { path, what, others = [] }: Place,
): Finding[] => {
  if (known === undefined) return [];
  if (isPattern(word)) {
    const expression = RE2JS.compile(expressionOf([word]));
    if (known.some((name) => expression.test(name))) return [];
  } else if (known.includes(word)) return [];
  const meant = nearest(word, [...others, ...known]);
  const said = isPattern(word) ? `${what} is like "${word}"` : `${what} is called "${word}"`;
  return [{ path, message: `${said}${meant === undefined ? "" : `; did you mean "${meant}"?`}` }];
};
