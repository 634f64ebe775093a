import { stringify } from 'csv-stringify/sync';
import { formatDecimal } from '../dca/money.ts';
import { priceOf } from '../dca/price.ts';
import { assertSum } from '../dca/split.ts';
import type { CurrencyStatement } from '../ledger/clients/statement.ts';
import type { Instant } from '../time.ts';
import type { ClientStatement } from './client-statement.ts';
import { type CsvColumn, type CsvKind, csvColumns, type Language, words } from './languages.ts';

/*
 * A statement as CSV: what happened in the order of time, between an opening and a closing row for each currency.
 * `cash` and `waiting_sats` are the balances after each row. Amounts are plain decimals in every language.
 */

type CsvRow = Partial<Record<CsvColumn, string>> & { kind: CsvKind };

/** As RFC 4180 has it, like the exports: a header, CRLF, UTF-8. */
export function statementCsv(
  statement: ClientStatement,
  language: Language,
  localTime: (instant: Instant) => string,
): string {
  const { columns, kinds } = words[language].csv;
  const rows = statement.currencies.flatMap((one) => rowsOf(one, localTime));
  return stringify(
    [
      csvColumns.map((name) => columns[name]),
      ...rows.map((row) => csvColumns.map((name) => (name === 'kind' ? kinds[row.kind] : (row[name] ?? '')))),
    ],
    { record_delimiter: 'windows', quote_record_delimiter: true, escape_formulas: true },
  );
}

interface Event {
  at: Instant;
  /** What it adds to the cash in machines, and to the sats that wait. */
  cash: bigint;
  sats: bigint;
  row: CsvRow;
}

function rowsOf(one: CurrencyStatement, localTime: (instant: Instant) => string): CsvRow[] {
  const { currency, digits, cash, sats } = one;
  const fiat = (minor: bigint) => formatDecimal(minor, digits);
  let balance = cash.opening;
  let waiting = sats.opening;
  const balances = () => ({ currency, cash: fiat(balance), waiting_sats: `${waiting}` });
  const rows: CsvRow[] = [{ kind: 'opening', ...balances() }];
  for (const { at, row, ...change } of eventsOf(one)) {
    balance += change.cash;
    waiting += change.sats;
    rows.push({ at, at_local: localTime(at), ...row, ...balances() });
  }
  assertSum('the cash in the rows of a statement', [balance], cash.closing);
  assertSum('the sats in the rows of a statement', [waiting], sats.closing);
  rows.push({ kind: 'closing', ...balances() });
  return rows;
}

function eventsOf({ digits, movements, purchases, payments }: CurrencyStatement): Event[] {
  const fiat = (minor: bigint) => formatDecimal(minor, digits);
  const events: Event[] = [
    ...movements.map((one) => ({
      ...{ at: one.at, cash: one.fiat, sats: 0n },
      row: {
        kind: one.kind,
        ...(one.fiat > 0n ? { cash_in: fiat(one.fiat) } : { cash_out: fiat(-one.fiat) }),
        reference: `f${one.funding}`,
      },
    })),
    ...purchases.map((one) => {
      const price = priceOf({ fiat: one.fiat, sats: one.net });
      return {
        ...{ at: one.at, cash: -one.fiat, sats: one.net },
        row: {
          kind: 'purchase' as const,
          cash_out: fiat(one.fiat),
          gross_sats: `${one.gross}`,
          commission_sats: `${one.commission}`,
          net_sats: `${one.net}`,
          ...(price === null ? {} : { price: fiat(price) }),
          machine: one.machineName ?? one.machine,
          reference: one.cashOut,
        },
      };
    }),
    ...payments.map((one) => ({
      ...{ at: one.at, cash: 0n, sats: -one.sats },
      row: { kind: 'payment' as const, paid_sats: `${one.sats}`, reference: `p${one.payout}` },
    })),
  ];
  return events.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
}
