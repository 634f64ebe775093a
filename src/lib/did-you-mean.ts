import { distance } from 'fastest-levenshtein';

/**
 * `Did you mean Antigua? `, for the beginning of a hint; empty if no known name is like the one that was typed. Like it
 * is a name that differs in upper and lower case, in a third of its letters at most (or two, as when two are swapped), or that
 * begins with it. Nothing is ever taken in place of what was typed.
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
