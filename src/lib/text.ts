import { stripVTControlCharacters } from 'node:util';

/*
 * Text in hand-written files: removes what editors add, and detects encodings that the bridge does not read.
 */

/**
 * The text of a file in UTF-8, without a byte order mark; undefined for UTF-16, which some editors and Windows shells
 * write.
 */
export function decodeText(bytes: Buffer): string | undefined {
  const utf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
  if (utf16 || bytes.includes(0)) return undefined;
  return bytes.toString('utf8').replace(/^\uFEFF/, '');
}

export const UTF16_HINT = 'Save it as UTF-8, without changing anything else.';

/**
 * A secret of one line, without the editor's line break at its end; undefined if there is other white space around it.
 * The bridge would send the white space as part of the secret, and the other side would only say that it is wrong.
 */
export function oneLine(text: string): string | undefined {
  const line = text.replace(/\r?\n$/, '');
  return /^\s|\s$|[\r\n]/.test(line) ? undefined : line;
}

export const ONE_LINE_HINT =
  'It has to be one line, without blanks before or after it; one line break at its end is ignored.';

/** Whether it can be the key of a wallet: one word of printable ASCII. */
export function isKey(text: string): boolean {
  return /^[\x21-\x7e]{1,200}$/.test(text);
}

/** Text from outside, on one line and without what controls a terminal: control, format and escape characters. */
export function clean(text: string): string {
  const line = stripVTControlCharacters(text).replace(/[\s\p{Zl}\p{Zp}]+/gu, ' ');
  return line.replace(/[\p{Cc}\p{Cf}]/gu, '');
}
