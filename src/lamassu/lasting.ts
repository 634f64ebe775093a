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
 * Which of the lasting columns of a row changed since the ledger kept the row (`kept`, its JSON), as text; null if none
 * did. `confirmedSince`: the row may have been confirmed since then, so `confirmed_at` may differ.
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
