import { cashInWords, type LedgerFindings, sat, type TableRow } from './findings.ts';

/**
 * Checks that the figures are those of Lamassu's row, as it was stored. It reads the columns by itself, because code
 * that it shared with the source would not show the source's mistakes.
 */
export function verifyLamassu(
  cashOut: TableRow<'cash_outs'>,
  digits: Map<string, number>,
  findings: LedgerFindings,
): void {
  if (cashOut.lamassu === null) return;
  const what = `cash-out ${cashOut.id}`;
  const row = parsed(cashOut.lamassu);
  if (!row) {
    findings.add('cash-out/lamassu', what, "Lamassu's row cannot be read", 'an object in JSON');
    return;
  }
  const compare = (column: string, ledger: string, said: string | null | undefined) => {
    if (said !== undefined && said !== ledger)
      findings.add('cash-out/lamassu', what, `${column} ${ledger}`, said);
  };
  compare('id', cashOut.id, row.id);
  if (cashOut.origin !== 'lamassu') return;
  compare('device_id', cashOut.begun_at_machine ?? cashOut.machine, row.device_id);
  const out = gaveOut(row.actions ?? null);
  // If no machine was recorded for the dispense, it was the machine of the transaction.
  if (out.length > 0)
    compare('machine that gave out', cashOut.machine, out.map((one) => one ?? row.device_id).join(', '));
  compare('confirmed_at', cashOut.confirmed_at, row.confirmed_at);
  compare('fiat_code', cashOut.currency, row.fiat_code);
  const places = digits.get(cashOut.currency) ?? 0;
  if (row.fiat) {
    const said = scaled(row.fiat, places);
    compare(
      'fiat',
      cashInWords(cashOut.fiat, cashOut.currency, digits),
      said === null ? row.fiat : cashInWords(said, cashOut.currency, digits),
    );
  }
  if (row.crypto_atoms) {
    const due = scaled(row.crypto_atoms, 0);
    const received = row.received_crypto_atoms ? scaled(row.received_crypto_atoms, 0) : due;
    const least = due !== null && received !== null && received < due ? received : due;
    compare('gross', sat(cashOut.gross), least === null ? row.crypto_atoms : sat(least));
  }
}

function parsed(text: string): Record<string, string | null> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, string | null>) : null;
  } catch {
    return null;
  }
}

/** The machines of its dispenses, each once. */
function gaveOut(actions: string | null): (string | null)[] {
  if (actions === null) return [];
  const all = JSON.parse(actions) as { action: string; device_id: string | null }[];
  return [...new Set(all.filter((one) => one.action.startsWith('dispense')).map((one) => one.device_id))];
}

/** Decimal text of Lamassu as an integer with `places` decimals; null for anything else. */
function scaled(text: string, places: number): bigint | null {
  const [, whole = '', decimals = ''] = /^(\d{1,30})(?:\.(\d{1,30}))?$/.exec(text) ?? [];
  return whole === '' ? null : BigInt(whole + decimals.padEnd(places, '0').slice(0, places));
}
