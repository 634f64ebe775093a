/** In quotation marks, with invisible characters escaped: `"3000\u200b"`. */
export function quote(text: string): string {
  const short = text.length > 80 ? `${text.slice(0, 80)}…` : text;
  return JSON.stringify(short).replace(
    /[^\P{C}\n]|[^\P{Z} ]/gu,
    (letter) => `\\u${letter.codePointAt(0)?.toString(16).padStart(4, '0')}`,
  );
}
