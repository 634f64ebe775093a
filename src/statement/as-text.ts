import stringWidth from 'string-width';
import { sum } from '../dca/money.ts';
import { priceOf } from '../dca/price.ts';
import type { CurrencyStatement, StatementPurchase } from '../ledger/clients/statement.ts';
import { machineOrName } from '../lib/machine-label.ts';
import { clean } from '../lib/text.ts';
import { type AccountLine, type ClientStatement, hasLater, paidBy } from './client-statement.ts';
import { introOf, type Language, type Style, styleOf } from './languages.ts';

/* A statement as plain text of at most 80 columns, for the terminal or a letter. */

const WIDTH = 80;
/** The least width of a machine's name in the table of purchases. */
const LEAST_NAME = 6;

/** Without a line break at its end. */
export function statementText(statement: ClientStatement, language: Language): string {
  const style = styleOf(language, statement.timezone);
  const { words } = style;
  const { client, month, currencies } = statement;
  const title = words.title(client, style.month(month));
  return [
    [title, '='.repeat(stringWidth(title))].join('\n'),
    introOf(statement, style).join('\n'),
    ...(currencies.length === 0
      ? [words.nothing(client)]
      : currencies.map((one) => section(one, statement, style))),
    ...(currencies.some(({ purchases }) => purchases.length > 0)
      ? [folded(hasLater(statement) ? `${words.explained} ${words.explainedLater}` : words.explained)]
      : []),
  ].join('\n\n');
}

function section(one: CurrencyStatement, statement: ClientStatement, style: Style): string {
  const { words } = style;
  const { currency, digits, cash, sats, movements, payments, machines, inFlight } = one;
  const fiat = (minor: bigint) => `${style.fiat(minor, digits)} ${currency}`;
  const sat = (amount: bigint) => `${style.sats(amount)} sat`;
  const { opening, added, withdrawn, adjusted, spent, closing } = cash;
  const blocks = [
    account(words.cash, [
      [words.opening, fiat(opening)],
      [words.added, signed(added, fiat)],
      ...(withdrawn === 0n ? [] : [[words.withdrawn, less(withdrawn, fiat)] as const]),
      ...(adjusted === 0n ? [] : [[words.adjusted, signed(adjusted, fiat)] as const]),
      [words.spent, less(spent, fiat)],
      [words.closing, fiat(closing)],
    ]),
    ...(machines.length > 1 || inFlight > 0n
      ? [
          lines([
            ...(machines.length > 1
              ? machines.map(
                  (part) =>
                    [`  ${nameOf(part.machine, part.name, words.anyMachine)}`, fiat(part.fiat)] as const,
                )
              : []),
            ...(inFlight > 0n ? [[words.inFlight, fiat(inFlight)] as const] : []),
          ]),
        ]
      : []),
    purchasesText(one, statement, style),
    account(words.sats, [
      [words.satsOpening, sat(sats.opening)],
      [words.satsBought, signed(sats.bought, sat)],
      [words.satsPaid, less(sats.paid, sat)],
      [words.satsClosing, sat(sats.closing)],
    ]),
    ...(movements.length === 0
      ? []
      : [
          under(
            words.movements,
            movements.map(
              (part) =>
                [
                  `${style.dayTime(part.at)}  f${part.funding}  ${words[part.kind]}`,
                  signed(part.fiat, fiat),
                ] as const,
            ),
          ),
        ]),
    ...(payments.length === 0
      ? []
      : [
          under(
            words.payments,
            payments.map((part) => [`${style.dayTime(part.at)}  p${part.payout}`, sat(part.sats)] as const),
          ),
        ]),
  ];
  return [`${currency} ${'-'.repeat(WIDTH - 1 - currency.length)}`, ...blocks].join('\n\n');
}

/** Lines with the amounts in a column, the last line below a rule. */
function account(title: string, rows: readonly AccountLine[]): string {
  const width = Math.max(...rows.map(([, amount]) => amount.length));
  const all = lines(rows, width).split('\n');
  const rule = `${' '.repeat(COLUMN - width)}${'-'.repeat(width)}`;
  return [title, ...all.slice(0, -1), rule, ...all.slice(-1)].join('\n');
}

/** Where the amounts end. */
const COLUMN = 66;

function under(title: string, rows: readonly AccountLine[]): string {
  return `${title}\n${lines(rows)}`;
}

function lines(rows: readonly AccountLine[], least = 0): string {
  return rows
    .map(([label, amount]) => {
      const shown = cut(`  ${label}`, COLUMN - 2 - Math.max(amount.length, least));
      return shown + ' '.repeat(COLUMN - stringWidth(shown) - amount.length) + amount;
    })
    .join('\n');
}

function signed(amount: bigint, written: (amount: bigint) => string): string {
  return amount < 0n ? less(-amount, written) : `+ ${written(amount)}`;
}

/** What goes out, also if it is nothing. */
function less(amount: bigint, written: (amount: bigint) => string): string {
  return `- ${written(amount)}`;
}

function purchasesText(
  { currency, digits, purchases }: CurrencyStatement,
  statement: ClientStatement,
  style: Style,
): string {
  const { words } = style;
  if (purchases.length === 0) return words.noPurchases;
  const fiat = (minor: bigint | null) => (minor === null ? '' : style.fiat(minor, digits));
  const total = (of: 'fiat' | 'gross' | 'commission' | 'net') => sum(purchases.map((one) => one[of]));
  const bought = { fiat: total('fiat'), sats: total('net') };
  const columns: TextColumn[] = [
    { head: [words.day, ''], of: (one) => style.dayTime(one.at), total: words.total, left: true },
    {
      head: [words.machine, ''],
      of: (one) => nameOf(one.machine, one.machineName, ''),
      total: '',
      left: true,
    },
    { head: [words.spentHead, currency], of: (one) => fiat(one.fiat), total: fiat(bought.fiat) },
    { head: [words.gross, 'sat'], of: (one) => style.sats(one.gross), total: style.sats(total('gross')) },
    {
      head: [words.commission, 'sat'],
      of: (one) => style.sats(one.commission),
      total: style.sats(total('commission')),
    },
    { head: [words.net, 'sat'], of: (one) => style.sats(one.net), total: style.sats(bought.sats) },
    {
      head: [words.price, currency],
      of: (one) => fiat(priceOf({ fiat: one.fiat, sats: one.net })),
      total: '',
    },
    {
      head: [words.paid, ''],
      of: (one) => {
        const state = paidBy(one, statement);
        return state === 'paid' ? one.payouts.map((id) => `p${id}`).join(' ') : words[state];
      },
      total: '',
      left: true,
    },
  ];
  const average = priceOf(bought);
  return [
    words.purchases,
    tableOf(columns, purchases),
    ...(average === null ? [] : ['', words.average(`${fiat(average)} ${currency}`)]),
  ].join('\n');
}

interface TextColumn {
  head: [string, string];
  of(one: StatementPurchase): string;
  total: string;
  left?: true;
}

/** Fits the width by the space between columns, then the machine's name, then without the gross. */
function tableOf(columns: TextColumn[], purchases: StatementPurchase[]): string {
  const cells = columns.map(({ head, of, total }) => [...head, ...purchases.map(of), total]);
  const widths = cells.map((column) => Math.max(...column.map((text) => stringWidth(text))));
  const room = (gap: number) => WIDTH - sumOf(widths) - gap * (columns.length - 1);
  const gap = room(2) >= 0 ? 2 : 1;
  const missing = -room(gap);
  if (missing > 0) {
    const narrower = (widths[1] ?? 0) - missing;
    if (narrower < LEAST_NAME && columns.length === 8) {
      return tableOf(
        columns.filter((_, index) => index !== 3),
        purchases,
      );
    }
    widths[1] = Math.max(1, narrower);
  }
  const row = (index: number) =>
    columns
      .map(({ left }, at) => {
        const text = cut(cells[at]?.[index] ?? '', widths[at] ?? 0);
        const space = ' '.repeat((widths[at] ?? 0) - stringWidth(text));
        return left ? text + space : space + text;
      })
      .join(' '.repeat(gap))
      .trimEnd();
  const rule = '-'.repeat(sumOf(widths) + gap * (columns.length - 1));
  const rows = purchases.map((_, index) => row(index + 2));
  return [row(0), row(1), rule, ...rows, rule, row(purchases.length + 2)].join('\n');
}

function nameOf(machine: string | null, name: string | null, any: string): string {
  return clean(machine === null ? any : machineOrName(machine, name));
}

/** Whole letters of at most that width, the last one … where some are cut off. */
function cut(text: string, width: number): string {
  if (stringWidth(text) <= width) return text;
  let shown = '';
  for (const letter of text) {
    if (stringWidth(`${shown}${letter}…`) > width) break;
    shown += letter;
  }
  return `${shown}…`;
}

function folded(text: string): string {
  const rows: string[] = [''];
  for (const word of text.split(' ')) {
    const last = rows.at(-1) ?? '';
    if (last === '') rows[rows.length - 1] = word;
    else if (stringWidth(last) + 1 + stringWidth(word) <= WIDTH) rows[rows.length - 1] = `${last} ${word}`;
    else rows.push(word);
  }
  return rows.join('\n');
}

function sumOf(widths: number[]): number {
  return widths.reduce((total, width) => total + width, 0);
}
