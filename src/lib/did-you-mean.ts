import { distance } from 'fastest-levenshtein';

/**
 * `Did you mean Antigua? `, for the beginning of a hint; empty if no known name is similar to the typed one. A known
 * name is similar if it begins with the typed one, or if at most a third of the typed letters have to change (two where
 * that is less than two, because two letters may be swapped). Upper and lower case count as equal. The caller never
 * uses a similar name in place of the typed one.
 */
export function didYouMean(typed: string, known: readonly string[]): string {
  const from = plain(typed);
  if (from === '') return '';
  const near = [...new Set(known)]
    .map((name) => ({ name, far: farFrom(from, plain(name)) }))
    .filter(({ far }) => far <= Math.max(from.length < 4 ? 1 : 2, Math.floor(from.length / 3)));
  const least = Math.min(...near.map(({ far }) => far));
  const names = near.filter(({ far }) => far === least).map(({ name }) => name);
  return names.length === 0 ? '' : `Did you mean ${names.slice(0, 3).join(' or ')}? `;
}

function plain(name: string): string {
  return name.normalize('NFC').trim().toLowerCase();
}

function farFrom(typed: string, name: string): number {
  return typed.length >= 2 && name !== typed && name.startsWith(typed) ? 1 : distance(typed, name);
}
