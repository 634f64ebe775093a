import { invalid } from '../errors.ts';
import { quote } from './quote.ts';

/** The short ids of the lists: `f12` a funding, `p118` a payout, `c3` a credit, `r7` a run. Throws `usage/invalid`. */
export function parseId(kind: 'f' | 'p' | 'c' | 'r', text: string, field: string): bigint {
  const match = /^([fpcr])([0-9]{1,18})$/i.exec(text.trim());
  if (match?.[1]?.toLowerCase() === kind && match[2]) return BigInt(match[2]);
  const noun = { f: 'a funding', p: 'a payout', c: 'a credit', r: 'a run' }[kind];
  throw invalid(
    field,
    `${quote(text)} is not the id of ${noun}`,
    `Write it as the lists show it, like ${kind}12.`,
  );
}

/**
 * The name of a client or a commission recipient: 1–64 letters, digits, `-_.`, in Unicode's composed form. Throws
 * `usage/invalid`.
 */
export function parseName(text: string, field: string): string {
  const name = text.normalize('NFC');
  if (/^[\p{L}\p{N}_.-]{1,64}$/u.test(name)) return name;
  throw invalid(field, `${quote(text)} cannot be a name`, 'Use 1 to 64 letters, digits, "-", "_" or ".".');
}

/**
 * A machine's name as the operator gives it: one line. (Lamassu's own names may be any text.) Throws `usage/invalid`.
 */
export function parseMachineName(text: string, field: string): string {
  const name = text.trim().normalize('NFC');
  const isOneLine = name.replace(/[\s\p{Zl}\p{Zp}]+/gu, ' ') === name && !/[\p{Cc}\p{Cf}]/u.test(name);
  if (name !== '' && [...name].length <= 64 && isOneLine) return name;
  throw invalid(field, 'it cannot be a name', 'Use 1 to 64 characters on one line, like "Antigua".');
}
