import { exactNumber } from '../../lib/exact-number.ts';
import { isCall, Message } from '../../lib/message.ts';
import { commandOf, inCommandWords } from './words.ts';

/**
 * One JSON document. A `bigint` becomes a number (RangeError if that is not exact), a Secret `[redacted]`. Characters
 * that control a terminal are escaped, even those that JSON allows.
 */
export function jsonDocument(value: unknown): string {
  const text = JSON.stringify(
    value,
    (_, inner: unknown) => {
      if (typeof inner === 'bigint') return exactNumber(inner);
      if (inner instanceof Message) return inCommandWords(inner);
      return isCall(inner) ? commandOf(inner) : inner;
    },
    2,
  );
  return escapedJson(text);
}

/** JSON, with escapes for characters that JSON allows and a terminal obeys. */
export function escapedJson(text: string): string {
  return text.replace(/[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]/gu, (sign) =>
    sign.replace(/./gs, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`),
  );
}
