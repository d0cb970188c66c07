/** The rule table: one row a look. The order is the precedence where two kinds claim one value. */

import type { Rule } from "../rule.ts";
import { cloudRules } from "./clouds.ts";
import { codeRules } from "./code.ts";
import { genericRules } from "./generic.ts";
import { personalRules } from "./personal.ts";
import { serviceRules } from "./services.ts";

export const rules: readonly Rule[] = [...cloudRules, ...codeRules, ...serviceRules, ...genericRules, ...personalRules];
