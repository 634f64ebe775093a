import type { LamassuRow } from './row.ts';

/** The columns that Lamassu does not change once a row is confirmed. */
const LASTING = [
  'device_id',
  'crypto_code',
  'crypto_atoms',
  'fiat',
  'fiat_code',
  'created',
  'confirmed_at',
] as const;

/**
 * How a row differs in what lasts from when it was kept, as JSON; null if it does not. `confirmedSince`: it may have
 * been confirmed only since then.
 */
export function lastingChange(
  kept: string | null,
  row: LamassuRow,
  { confirmedSince }: { confirmedSince: boolean },
): string | null {
  const then = JSON.parse(kept ?? '{}') as Partial<LamassuRow>;
  const columns = LASTING.filter((name) => name in then && !(confirmedSince && name === 'confirmed_at'));
  const changed = columns.filter((name) => (then[name] ?? null) !== row[name]);
  if (changed.length === 0) return null;
  return changed.map((name) => `${name} was ${then[name]}, is ${row[name]}`).join(', ');
}
