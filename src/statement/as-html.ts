import { sum } from '../dca/money.ts';
import { priceOf } from '../dca/price.ts';
import type { CurrencyStatement, StatementPurchase } from '../ledger/clients/statement.ts';
import { machineOrName } from '../lib/machine-label.ts';
import { clean } from '../lib/text.ts';
import { type AccountLine, type ClientStatement, hasLater, paidBy } from './client-statement.ts';
import { introOf, type Language, type Style, styleOf } from './languages.ts';

/* A statement as one printable page of HTML that asks nothing of any server. */

/** HTML that is written by this file; any other text is escaped. */
class Html {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

type Content = string | Html | readonly Content[];

function html(strings: TemplateStringsArray, ...values: Content[]): Html {
  return new Html(strings.map((text, index) => text + escaped(values[index] ?? '')).join(''));
}

function escaped(content: Content): string {
  if (content instanceof Html) return content.text;
  if (typeof content !== 'string') return content.map(escaped).join('');
  return clean(content).replace(/[&<>"'`]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

/** A whole document, with a line break at its end. */
export function statementHtml(statement: ClientStatement, language: Language): string {
  const style = styleOf(language, statement.timezone);
  const { words } = style;
  const { client, month, currencies } = statement;
  const title = words.title(client, style.month(month));
  const page = html`<!doctype html>
<html lang="${words.locale}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light">
<title>${title}</title>
<style>${new Html(CSS)}</style>
</head>
<body>
<header>
<h1>${title}</h1>
<p>${introOf(statement, style).map(
    (line) => html`${line}<br>
`,
  )}</p>
</header>
<main>
${currencies.length === 0 ? html`<p>${words.nothing(client)}</p>` : currencies.map((one) => section(one, statement, style))}
</main>
${currencies.some(({ purchases }) => purchases.length > 0) ? html`<footer><p>${words.explained}${hasLater(statement) ? ` ${words.explainedLater}` : ''}</p></footer>` : ''}
</body>
</html>
`;
  return page.text;
}

function section(one: CurrencyStatement, statement: ClientStatement, style: Style): Html {
  const { words } = style;
  const { currency, digits, cash, sats, machines, inFlight } = one;
  const fiat = (minor: bigint) => `${style.fiat(minor, digits)} ${currency}`;
  const sat = (amount: bigint) => `${style.sats(amount)} sat`;
  return html`<section>
<h2>${currency}</h2>
<div class="accounts">
${account(words.cash, [
  [words.opening, fiat(cash.opening)],
  [words.added, signed(cash.added, fiat)],
  ...(cash.withdrawn === 0n ? [] : [[words.withdrawn, less(cash.withdrawn, fiat)] as const]),
  ...(cash.adjusted === 0n ? [] : [[words.adjusted, signed(cash.adjusted, fiat)] as const]),
  [words.spent, less(cash.spent, fiat)],
  [words.closing, fiat(cash.closing)],
])}
${account(words.sats, [
  [words.satsOpening, sat(sats.opening)],
  [words.satsBought, signed(sats.bought, sat)],
  [words.satsPaid, less(sats.paid, sat)],
  [words.satsClosing, sat(sats.closing)],
])}
</div>
${
  machines.length > 1 || inFlight > 0n
    ? html`<ul>
${machines.length > 1 ? machines.map((part) => html`<li>${part.machine === null ? words.anyMachine : machineOrName(part.machine, part.name)}: ${fiat(part.fiat)}</li>\n`) : ''}${inFlight > 0n ? html`<li>${words.inFlight}: ${fiat(inFlight)}</li>` : ''}
</ul>`
    : ''
}
${purchasesTable(one, statement, style)}
<div class="accounts">
${movementsTable(one, style)}
${paymentsTable(one, style)}
</div>
</section>
`;
}

function account(title: string, rows: readonly AccountLine[]): Html {
  return html`<table class="account">
<caption>${title}</caption>
<tbody>
${rows.map(([label, amount]) => html`<tr><th scope="row">${label}</th><td class="amount">${amount}</td></tr>\n`)}</tbody>
</table>`;
}

function purchasesTable(
  { currency, digits, purchases }: CurrencyStatement,
  statement: ClientStatement,
  style: Style,
): Html {
  const { words } = style;
  if (purchases.length === 0) return html`<p>${words.noPurchases}</p>`;
  const fiat = (minor: bigint | null) => (minor === null ? '' : style.fiat(minor, digits));
  const total = (of: 'fiat' | 'gross' | 'commission' | 'net') => sum(purchases.map((one) => one[of]));
  const bought = { fiat: total('fiat'), sats: total('net') };
  const average = priceOf(bought);
  const head = (title: string, unit: string) =>
    html`<th scope="col" class="amount">${title}<br><small>${unit}</small></th>`;
  const amount = (text: string) => html`<td class="amount">${text}</td>`;
  return html`<table class="purchases">
<caption>${words.purchases}</caption>
<thead><tr><th scope="col">${words.time}</th><th scope="col">${words.machine}</th>${head(words.spentHead, currency)}${head(words.gross, 'sat')}${head(words.commission, 'sat')}${head(words.net, 'sat')}${head(words.price, `${currency}/BTC`)}<th scope="col">${words.paid}</th></tr></thead>
<tbody>
${purchases.map(
  (one) =>
    html`<tr><td class="time">${style.time(one.at)}</td><td class="machine">${machineOrName(one.machine, one.machineName)}</td>${amount(fiat(one.fiat))}${amount(style.sats(one.gross))}${amount(style.sats(one.commission))}${amount(style.sats(one.net))}${amount(fiat(priceOf({ fiat: one.fiat, sats: one.net })))}<td>${paidText(one, statement, style)}</td></tr>\n`,
)}</tbody>
<tfoot><tr><th scope="row" colspan="2">${words.total}</th>${amount(fiat(bought.fiat))}${amount(style.sats(total('gross')))}${amount(style.sats(total('commission')))}${amount(style.sats(bought.sats))}<td></td><td></td></tr></tfoot>
</table>
${average === null ? '' : html`<p class="average">${words.average(`${fiat(average)} ${currency}`)}</p>`}`;
}

/** `p10`, `p10 (later)`, or that it waits. */
function paidText(one: StatementPurchase, statement: ClientStatement, { words }: Style): string {
  const state = paidBy(one, statement);
  if (state === 'waits') return words.waits;
  const payouts = one.payouts.map((id) => `p${id}`).join(' ');
  return state === 'paid' ? payouts : `${payouts} (${words.later})`;
}

function movementsTable({ currency, digits, movements }: CurrencyStatement, style: Style): Content {
  const { words } = style;
  if (movements.length === 0) return '';
  const fiat = (minor: bigint) => `${style.fiat(minor, digits)} ${currency}`;
  return html`<table>
<caption>${words.movements}</caption>
<thead><tr><th scope="col">${words.time}</th><th scope="col">${words.funding}</th><th scope="col" class="amount">${words.amount}</th></tr></thead>
<tbody>
${movements.map(
  (one) =>
    html`<tr><td class="time">${style.time(one.at)}</td><td>f${`${one.funding}`} ${words[one.kind]}</td><td class="amount">${signed(one.fiat, fiat)}</td></tr>\n`,
)}</tbody>
</table>`;
}

function paymentsTable({ payments }: CurrencyStatement, style: Style): Content {
  const { words } = style;
  if (payments.length === 0) return '';
  return html`<table>
<caption>${words.payments}</caption>
<thead><tr><th scope="col">${words.time}</th><th scope="col">${words.payout}</th><th scope="col" class="amount">${words.amount}</th></tr></thead>
<tbody>
${payments.map(
  (one) =>
    html`<tr><td class="time">${style.time(one.at)}</td><td>p${`${one.payout}`}</td><td class="amount">${style.sats(one.sats)} sat</td></tr>\n`,
)}</tbody>
</table>`;
}

/** With a true minus sign. */
function signed(amount: bigint, written: (amount: bigint) => string): string {
  return amount < 0n ? less(-amount, written) : `+ ${written(amount)}`;
}

/** What goes out, also if it is nothing. */
function less(amount: bigint, written: (amount: bigint) => string): string {
  return `− ${written(amount)}`;
}

const CSS = `
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 2rem auto; max-width: 60rem; padding: 0 1.5rem; background: #fff; color: #1a1a1a;
  font: 15px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
header { border-bottom: 2px solid #c2620a; margin-bottom: 1.5rem; }
header p, footer p { color: #595959; margin: 0 0 .8rem; }
h1 { font-size: 1.6rem; font-weight: 600; margin: 0 0 .3rem; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 1.8rem 0 .6rem; }
table { border-collapse: collapse; width: 100%; margin: 0 0 1.2rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: 600; padding: .4rem 0; }
th, td { padding: .3rem .6rem .3rem 0; text-align: left; vertical-align: top; font-weight: 400; }
th:last-child, td:last-child { padding-right: 0; }
.amount { text-align: right; white-space: nowrap; }
.machine { min-width: 8.5rem; overflow-wrap: anywhere; }
.time { white-space: nowrap; }
thead th { color: #595959; border-bottom: 1px solid #999; vertical-align: bottom; }
tbody tr + tr > * { border-top: 1px solid #e6e6e6; }
tfoot > tr > * { border-top: 1px solid #999; font-weight: 600; }
.account tr:last-child > * { border-top: 1px solid #999; font-weight: 600; }
.accounts { display: grid; grid-template-columns: 1fr 1fr; gap: 0 2.5rem; align-items: start; }
.average { font-weight: 600; margin: 0 0 1.4rem; }
ul { margin: 0 0 1.2rem; padding-left: 1.2rem; }
small { font-size: .85em; }
@media (max-width: 45rem) { .accounts { grid-template-columns: 1fr; } section { overflow-x: auto; } }
@media print {
  @page { size: auto; margin: 15mm; }
  body { margin: 0; padding: 0; max-width: none; font-size: 10pt; }
  thead { display: table-header-group; }
  tfoot { display: table-row-group; }
  tr, .account { break-inside: avoid; }
  h2, caption { break-after: avoid; }
}
`;
