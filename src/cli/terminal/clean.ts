import { stripVTControlCharacters } from 'node:util';

export { clean } from '../../lib/text.ts';

/**
 * Text from outside without what controls a terminal, where spaces count, such as a command to be copied: each line
 * stays one.
 */
export function asWritten(text: string): string {
  return stripVTControlCharacters(text).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (sign) =>
    sign === '\n' ? sign : '',
  );
}
