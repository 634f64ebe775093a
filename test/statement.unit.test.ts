import fc from 'fast-check';
import stringWidth from 'string-width';
import { expect, test } from 'vitest';
import type { CurrencyStatement } from '../src/ledger/clients/statement.ts';
import { statementCsv } from '../src/statement/as-csv.ts';
import { statementHtml } from '../src/statement/as-html.ts';
import { statementText } from '../src/statement/as-text.ts';
import type { ClientStatement } from '../src/statement/client-statement.ts';
import { languages } from '../src/statement/languages.ts';

/* A statement in words: as text, as CSV, and as a page of HTML. What is in it is tested where the ledger is read. */

const at = '2026-11-20T10:00:00.000000Z';

function currency(
  more: Partial<CurrencyStatement> = {},
  machineName: string | null = 'Antigua',
): CurrencyStatement {
  return {
    ...{ currency: 'GTQ', digits: 2, inFlight: 50_000n },
    cash: {
      ...{ opening: 258_776n, added: 150_000n, withdrawn: 20_000n },
      ...{ adjusted: -5_000n, spent: 133_776n, closing: 250_000n },
    },
    machines: [
      { machine: 'm', name: machineName, fiat: 200_000n },
      { machine: null, name: null, fiat: 50_000n },
    ],
    movements: [
      { at, kind: 'added', funding: 2n, fiat: 150_000n },
      { at, kind: 'withdrawn', funding: 1n, fiat: -20_000n },
      { at, kind: 'adjusted', funding: 1n, fiat: -5_000n },
    ],
    purchases: [
      {
        ...{ at, cashOut: '=1+1', machine: 'a'.repeat(64), machineName, fiat: 133_776n, gross: 178_648n },
        ...{ commission: 9_313n, net: 169_335n, payouts: [10n], paidAt: null },
      },
    ],
    sats: { opening: 220_410n, bought: 169_335n, paid: 220_410n, closing: 169_335n },
    payments: [{ at, payout: 9n, sats: 220_410n }],
    ...more,
  };
}

function statement(
  currencies: CurrencyStatement[] = [currency()],
  more: Partial<ClientStatement> = {},
): ClientStatement {
  const month = {
    client: 'alice',
    month: '2026-11',
    until: '2026-12-01T06:00:00.000000Z',
    isRunning: false,
    payday: null,
  };
  return { ...month, timezone: 'America/Guatemala', currencies, ...more };
}

test('text has the account, the purchases and their average, and fits 80 columns', () => {
  const text = statementText(statement(), 'en');
  for (const part of [
    'Statement of alice, November 2026\n=================================',
    'At the start of the month                           2,587.76 GTQ',
    'Put in                                            + 1,500.00 GTQ',
    'Spent on bitcoin                                  - 1,337.76 GTQ',
    'At the end                                          2,500.00 GTQ',
    '20 04:00  Antigua  1,337.76  178,648       9,313  169,335  790,007.97  waits',
    'Average price of one BTC: 790,007.97 GTQ',
    'Paid into your wallet                              - 220,410 sat',
    'On its way to a machine, not counted above            500.00 GTQ',
  ])
    expect(text).toContain(part);
});

test('in Spanish, with amounts and dates as in Guatemala', () => {
  const payday = { at: '2026-11-20T18:00:00.000000Z', sats: 131_416n };
  const running = statement(undefined, { isRunning: true, until: at, payday });
  const text = statementText(running, 'es');
  for (const part of [
    'Estado de cuenta de alice, noviembre de 2026',
    'El mes sigue en curso: datos al 20 nov 2026, 04:00.\n131,416 sat se pagan el 20 nov 2026, 12:00.',
    'Depositado                                        + 1,500.00 GTQ',
    'Precio promedio de un BTC: 790,007.97 GTQ',
  ])
    expect(text).toContain(part);
});

test('a month before the first entry has a sentence, in each language and format', () => {
  const none = statement([]);
  expect(statementText(none, 'en')).toContain(
    'alice had no cash and no satoshi here, neither in this month nor before.',
  );
  expect(statementHtml(none, 'es')).toContain(
    'alice no tuvo aquí efectivo ni satoshis, ni en este mes ni antes.',
  );
  expect(statementCsv(none, 'en', (time) => time).split('\r\n')).toHaveLength(2);
});

test('what was paid after the month is told apart from what waits and from what was paid in it', () => {
  const [bought] = currency().purchases;
  if (!bought) throw new Error('no purchase');
  const paidAt = (time: string | null) => ({ ...bought, paidAt: time });
  const purchases = [
    paidAt(null),
    paidAt('2026-11-20T10:01:00.000000Z'),
    paidAt('2026-12-01T06:00:00.000000Z'),
  ];
  const some = statement([currency({ purchases })]);
  const rows = statementText(some, 'en')
    .split('\n')
    .filter((line) => line.startsWith('20 04:00  Antigua'));
  expect(rows.map((row) => row.split(/ +/).at(-1))).toEqual(['waits', 'p10', 'later']);
  expect(statementText(some, 'en')).toContain('Later: it was paid after the end');
  expect(statementText(statement(), 'en')).not.toContain('Later');
  expect(statementHtml(some, 'es')).toContain('<td>p10 (después)</td>');
});

test('no text is wider than 80 columns, whatever the amounts and names', () => {
  const amount = fc.bigInt({ min: 0n, max: 2_100_000_000_000_000n });
  fc.assert(
    fc.property(
      amount,
      amount,
      fc.string({ unit: 'grapheme', maxLength: 70 }),
      fc.constantFrom(0, 2, 3),
      fc.constantFrom(...languages),
      (fiat, sats, name, digits, language) => {
        const one = currency({ digits }, name);
        const [bought] = one.purchases;
        if (bought)
          Object.assign(bought, { fiat: fiat % 10n ** 12n, net: sats % 10n ** 9n, gross: sats % 10n ** 9n });
        const text = statementText(statement([{ ...one, cash: { ...one.cash, opening: fiat } }]), language);
        for (const line of text.split('\n')) expect(stringWidth(line)).toBeLessThanOrEqual(80);
      },
    ),
    { numRuns: 200 },
  );
});

test('CSV goes from the opening to the closing balance, and is no formula', () => {
  const text = statementCsv(statement(), 'en', (time) => time.slice(0, 10));
  expect(text.endsWith('\r\n')).toBe(true);
  const [names = [], ...cells] = text
    .trimEnd()
    .split('\r\n')
    .map((line) => line.split(','));
  const rows = cells.map((row) => Object.fromEntries(names.map((name, index) => [name, row[index]])));
  expect(rows.map(({ kind, cash, waiting_sats }) => [kind, cash, waiting_sats])).toEqual([
    ['opening', '2587.76', '220410'],
    ['put in', '4087.76', '220410'],
    ['taken out', '3887.76', '220410'],
    ['corrected', '3837.76', '220410'],
    ['purchase', '2500.00', '389745'],
    ['payment', '2500.00', '169335'],
    ['closing', '2500.00', '169335'],
  ]);
  expect(rows[4]).toMatchObject({ reference: "'=1+1", cash_out: '1337.76', price: '790007.97', cash_in: '' });
  expect(statementCsv(statement(), 'es', (time) => time).split('\r\n')[1]).toMatch(/^inicio,/);
});

test('balances that do not meet the closing ones make no CSV', () => {
  const wrong = currency({ sats: { opening: 0n, bought: 169_335n, paid: 220_410n, closing: 0n } });
  expect(() => statementCsv(statement([wrong]), 'en', (time) => time)).toThrow('the parts add up to');
});

test('HTML escapes every text, and asks nothing of any server', () => {
  const name = `<script src="https://example.com/x.js">'\`&"\u202e`;
  for (const language of languages) {
    const page = statementHtml(statement([currency({}, name)], { client: name }), language);
    expect(page).not.toContain('<script');
    expect(page).not.toContain('\u202e');
    expect(page).toContain('&#60;script src=&#34;https:&#47;&#47;'.replaceAll('&#47;', '/'));
    const markup = page.replace(/<style>[\s\S]*<\/style>/, '');
    expect(markup).not.toMatch(/\b(src|href|srcset|action|style|on[a-z]+)\s*=\s*["']/i);
    expect(page).not.toMatch(/@import|url\(/);
    expect(page).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`);
    expect(page).toContain(language === 'es' ? '<html lang="es-GT">' : '<html lang="en-US">');
  }
});
