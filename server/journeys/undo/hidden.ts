/** Values that masks hide: they are compared inside the gateway, and never shown, so that nobody has to guess whether one was changed. */

import { hideIn } from "../../stages/mask/beside.ts";
import { inRecording } from "../../stages/mask/detect/detector.ts";
import { isTokenKind } from "../../stages/mask/detect/kinds.ts";
import { compileFields, fieldsAt } from "../../stages/mask/json/fields.ts";
import type { Masks } from "../../stages/mask/plan.ts";
import type { MaskKeys } from "../../stages/mask/token/keys.ts";
import { open, valueOf } from "../../stages/mask/token/sealer.ts";
import { findTokens, mayHoldToken } from "../../stages/mask/token/text.ts";

export type Hidden = {
  /** Whether a mask took something out of this text. */
  isMasked(text: string): boolean;
  /** Whether two texts are the same once what masks took out is back; false where that cannot be told. */
  isSame(one: string, other: string): boolean;
  /** Whether a null at this place of a body may stand for what is no text: a mask that names the field leaves nothing else of it. Null where none does. */
  readonly isErased: ((path: readonly (string | number)[]) => boolean) | null;
  /** A sentence, or a name, of Datadog's, as a recording may hold it: the gateway was answered without masks. */
  shown(text: string): string;
};

/** Values of one text together, bytes. */
const most = 1024 * 1024;

/** `masks`: those in force. */
export function readHidden(keys: MaskKeys, masks: Masks): Hidden {
  const { custom, fields } = masks;
  const erasing = compileFields(fields.filter(({ sides }) => (sides & inRecording) !== 0));
  const knows = (kind: string): boolean => isTokenKind(kind, custom);
  const whole = (text: string): string | null => {
    let at = 0;
    let back = "";
    for (const written of mayHoldToken(text) ? findTokens(text, knows) : []) {
      const opened = open(keys, written);
      const value = opened === "altered" ? null : valueOf(opened, most);
      if (value === null || back.length > most) return null;
      back += text.slice(at, written.start) + value;
      at = written.end;
    }
    return back + text.slice(at);
  };
  return {
    shown: (text) => hideIn(masks, text),
    isErased: erasing.rules.length === 0 ? null : (path) => fieldsAt(erasing, path).length > 0,
    isMasked: (text) => mayHoldToken(text) && findTokens(text, knows).length > 0,
    isSame: (one, other) => {
      if (one === other) return true;
      if (!mayHoldToken(one) && !mayHoldToken(other)) return false;
      const [back, otherBack] = [whole(one), whole(other)];
      return back !== null && back === otherBack;
    },
  };
}
