import { stripVTControlCharacters } from 'node:util';

/** Text from outside, on one line and without what controls a terminal: control, format and escape characters. */
export function clean(text: string): string {
  const line = stripVTControlCharacters(text).replace(/[\s\p{Zl}\p{Zp}]+/gu, ' ');
  return line.replace(/[\p{Cc}\p{Cf}]/gu, '');
}

/** The same for text in which spaces count, such as a command to be copied: each line stays one. */
export function asWritten(text: string): string {
  return stripVTControlCharacters(text).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (sign) =>
    sign === '\n' ? sign : '',
  );
}
