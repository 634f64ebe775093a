import { stringify } from 'csv-stringify/sync';
import { formatDecimal } from '../dca/money.ts';
import type { Instant } from '../time.ts';
import type { TRADE_FORMATS } from './format-names.ts';
import type { ExportRow } from './rows.ts';

/*
 * Purchases as programs for tax and books read them: each allocation is cash given for bitcoin. The commission is in
 * the price, so there is no fee beside it.
 *
 * Koinly's universal format and CoinTracker's CSV are by the help pages of the two; their times are UTC. Both take what
 * they are given as received, so they get only what has arrived. Journals have everything: what has not arrived yet is
 * pending (`!`).
 */

export type TradeFormat = (typeof TRADE_FORMATS)[number];

interface Trade {
  /** Unique: the cash-out, and the funding whose cash it is. */
  id: string;
  at: Instant;
  localDay: string;
  machine: string;
  /** Decimal text. */
  fiat: string;
  currency: string;
  btc: string;
  hasArrived: boolean;
}

/** Pages of allocations as the text of one file, a piece for each page. */
export async function* tradesFormatted(
  pages: AsyncIterable<ExportRow[]>,
  format: TradeFormat,
): AsyncGenerator<string, void> {
  const { head, write } = WRITERS[format];
  yield head;
  for await (const rows of pages) yield rows.map((row) => write(tradeOf(row))).join('');
}

interface Writer {
  head: string;
  write(trade: Trade): string;
}

const KOINLY = [
  ...['Date', 'Sent Amount', 'Sent Currency', 'Received Amount', 'Received Currency', 'Fee Amount'],
  ...['Fee Currency', 'Net Worth Amount', 'Net Worth Currency', 'Label', 'Description', 'TxHash'],
];

const COINTRACKER = [
  ...['Date', 'Received Quantity', 'Received Currency', 'Sent Quantity', 'Sent Currency'],
  ...['Fee Amount', 'Fee Currency', 'Tag'],
];

const WRITERS: Record<TradeFormat, Writer> = {
  koinly: {
    head: csvLine(KOINLY),
    write: ({ at, fiat, currency, btc, machine, id, hasArrived }) =>
      hasArrived
        ? csvLine([
            ...[`${at.slice(0, 10)} ${at.slice(11, 16)}`, fiat, currency, btc, 'BTC', '', '', '', '', ''],
            ...[`aio-dca ${machine}`, id],
          ])
        : '',
  },
  cointracker: {
    head: csvLine(COINTRACKER),
    write: ({ at, fiat, currency, btc, hasArrived }) => {
      const [year, month, day] = at.slice(0, 10).split('-');
      const time = `${month}/${day}/${year} ${at.slice(11, 19)}`;
      return hasArrived ? csvLine([time, btc, 'BTC', fiat, currency, '', '', '']) : '';
    },
  },
  hledger: {
    head: '; Purchases by aio-dca. "!": the bitcoin has not arrived yet.\ndecimal-mark .\ncommodity 0.00000000 BTC\n',
    write: ({ localDay, hasArrived, machine, id, fiat, currency, btc }) => `
${localDay} ${hasArrived ? '*' : '!'} aio-dca ${plainText(machine)}  ; cash-out: ${plainText(id)}
    ${isNothing(btc) ? `expenses:rounding    ${fiat} ${currency}` : `assets:bitcoin    ${btc} BTC @@ ${fiat} ${currency}`}
    assets:aio-dca:cash    -${fiat} ${currency}
`,
  },
  beancount: {
    head: `; Purchases by aio-dca. "!": the bitcoin has not arrived yet.
1970-01-01 open Assets:AioDca:Bitcoin
1970-01-01 open Assets:AioDca:Cash
1970-01-01 open Expenses:AioDca:Rounding
`,
    write: ({ localDay, hasArrived, machine, id, fiat, currency, btc }) => `
${localDay} ${hasArrived ? '*' : '!'} "aio-dca" "${plainText(machine)}"
  cash-out: "${plainText(id)}"
  ${isNothing(btc) ? `Expenses:AioDca:Rounding  ${fiat} ${currency}` : `Assets:AioDca:Bitcoin  ${btc} BTC {{${fiat} ${currency}}}`}
  Assets:AioDca:Cash  -${fiat} ${currency}
`,
  },
};

function tradeOf(row: ExportRow): Trade {
  const { confirmed_at: at, local_date: day, cash_out: cashOut, funding, currency } = row;
  return {
    id: `${cashOut} f${funding}`,
    at: `${at}`,
    localDay: `${day}`,
    machine: `${row.machine_name ?? row.machine}`,
    fiat: formatDecimal(BigInt(row.fiat ?? 0n), Number(row.digits)),
    currency: `${currency}`,
    btc: formatDecimal(BigInt(row.net_sats ?? 0n), 8),
    hasArrived: row.payout_state === 'settled',
  };
}

/** So little cash that it bought no sat: journals have no price for nothing. */
function isNothing(btc: string): boolean {
  return /^0\.0+$/.test(btc);
}

/** Text that ends no line and no string, and begins no comment or code. */
function plainText(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is taken out
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029"\\;|()]/g, ' ').trim();
}

function csvLine(values: string[]): string {
  return stringify([values], {
    record_delimiter: 'windows',
    quote_record_delimiter: true,
    escape_formulas: true,
  });
}
