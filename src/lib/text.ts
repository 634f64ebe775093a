/*
 * Text in files that people write: what an editor adds is taken off, and what no program here reads is named.
 */

/**
 * The text of a file in UTF-8, without the mark that some editors put before it; undefined for UTF-16, which other editors
 * and the redirections of a shell on Windows write.
 */
export function decodeText(bytes: Buffer): string | undefined {
  const utf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
  if (utf16 || bytes.includes(0)) return undefined;
  return bytes.toString('utf8').replace(/^\uFEFF/, '');
}

export const UTF16_HINT = 'Save it as UTF-8, without changing anything else.';

/**
 * A secret of one line, without the line break at the end, which is the editor's; undefined where anything else stands
 * around it: it would be sent as it is, and the other side would only say that it is wrong.
 */
export function oneLine(text: string): string | undefined {
  const line = text.replace(/\r?\n$/, '');
  return /^\s|\s$|[\r\n]/.test(line) ? undefined : line;
}

export const ONE_LINE_HINT =
  'It has to be one line, without blanks before or after it; one line break at its end is taken off.';
