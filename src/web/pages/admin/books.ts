import { html } from 'hono/html';
import { formatDecimal, parseDecimal, sum } from '../../../dca/money.ts';
import { reconcile } from '../../../operations/reconcile.ts';
import { verify } from '../../../operations/verify.ts';
import type { ReconciliationView } from '../../../views/reconciliation.ts';
import type { DifferenceView } from '../../../views/verification.ts';
import { missingKeys } from '../../request/missing-keys.ts';
import { mayHere } from '../../request/rights.ts';
import type { WebContext } from '../../request/site-context.ts';
import { type Speech, speechOf, textsIn } from '../../request/speech.ts';
import { performFor } from '../../request/visitor.ts';
import { booksEn } from '../../text/en/admin-reports.ts';
import { booksEs } from '../../text/es/admin-reports.ts';
import { money, satsNumber } from '../../view/amounts.ts';
import { card, facts, linkButton, notice } from '../../view/components.ts';
import type { PageHtml } from '../../view/html.ts';
import { layout } from '../../view/layout.ts';
import { machineLink } from '../../view/links.ts';
import { htmlTable } from '../../view/lists.ts';
import { messageOf } from '../../view/messages.ts';
import type { PageRoute } from '../page-route.ts';
import { filterForm, refusedFilter } from './filters.ts';

/* Whether the books agree with themselves, and with LNbits and Lamassu. */

const bookTexts = { en: booksEn, es: booksEs };

const textsOf = (speech: Speech) => textsIn(speech, bookTexts);

const booksPage: PageRoute = {
  method: 'GET',
  path: '/books',
  show: (context) => {
    const speech = speechOf(context);
    const texts = textsOf(speech);
    return layout(context, {
      ...{ title: speech.t.nav.books, here: 'books' },
      main: html`<p class="lead">${texts.lead}</p>
${card(
  texts.verify.title,
  html`<p>${texts.verify.lead}</p><p>${linkButton('/books/verify', texts.verify.run, 'primary')}</p>`,
)}
${card(texts.reconcile.title, html`<p>${texts.reconcile.lead}</p>${comparing(context, speech)}`)}`,
    });
  },
};

/** The form of a comparison, or why there is none. */
function comparing(context: WebContext, speech: Speech, asked: Record<string, string> = {}): PageHtml {
  const texts = textsOf(speech).reconcile;
  if (!mayHere(context, reconcile)) return notice(texts.noRight);
  const { sourceWallet, lamassu } = missingKeys(context.get('site').serving.config);
  const missing = [sourceWallet, lamassu].filter((why) => why !== null);
  if (missing.length > 0) {
    return notice(
      html`<p>${texts.missing}</p>${missing.map((why) => html`<p lang="en">${why}</p>`)}`,
      'warn',
    );
  }
  return filterForm(
    speech,
    '/books/reconcile',
    [
      { name: 'from', label: texts.from, value: asked.from, kind: 'date' },
      { name: 'to', label: texts.to, value: asked.to, kind: 'date' },
    ],
    {},
    texts.run,
  );
}

const verifyPage: PageRoute = {
  method: 'GET',
  path: '/books/verify',
  show: async (context) => {
    const speech = speechOf(context);
    const texts = textsOf(speech);
    const { ok, checked, differences } = await performFor(context, verify, {});
    return layout(context, {
      ...{ title: texts.verify.title, here: 'books', actions: linkButton('/books/verify', texts.verify.run) },
      main: html`${notice(ok ? texts.verify.ok : texts.verify.differs(differences.length), ok ? 'good' : 'bad', 'status')}
${differencesTable(speech, differences)}
${htmlTable(
  speech,
  [
    { head: texts.verify.checked, isHead: true, cell: ([what]) => countName(speech, what) },
    { head: texts.verify.rows, kind: 'num', cell: ([, count]) => speech.f.count(count) },
  ],
  Object.entries(checked),
  { caption: texts.verify.checked, isCaptionHidden: true },
)}`,
    });
  },
};

function countName(speech: Speech, what: string): string {
  return textsOf(speech).counts[what] ?? what.replaceAll('_', ' ');
}

/** Each with what to do about it; the words are the program's. */
function differencesTable(speech: Speech, differences: readonly DifferenceView[]): PageHtml {
  if (differences.length === 0) return html``;
  const texts = textsOf(speech).differences;
  return htmlTable(
    speech,
    [
      {
        ...{ head: texts.where, isHead: true },
        cell: ({ code, what }) =>
          html`<span lang="en">${what}</span><br><small class="quiet">${code}</small>`,
      },
      { head: texts.ledger, cell: ({ ledger }) => html`<span lang="en">${ledger}</span>` },
      { head: texts.other, cell: ({ other }) => html`<span lang="en">${other}</span>` },
      { head: texts.hint, cell: ({ hint }) => html`<span lang="en">${messageOf(speech, hint)}</span>` },
    ],
    differences,
    { caption: texts.caption },
  );
}

/** By GET: it changes nothing, so it can be asked again. */
const reconcilePage: PageRoute = {
  method: 'GET',
  path: '/books/reconcile',
  show: async (context) => {
    const speech = speechOf(context);
    const texts = textsOf(speech).reconcile;
    const asked = context.req.query();
    const { from, to } = asked;
    const page = { title: texts.title, here: 'books' } as const;
    const form = comparing(context, speech, asked);
    const read = await refusedFilter(
      performFor(context, reconcile, { ...(from && { from }), ...(to && { to }) }),
    );
    if ('refused' in read) return layout(context, { ...page, main: html`${form}${read.refused(speech)}` });
    const { ok, checked, differences } = read.done;
    const counted = Object.entries(checked).filter(([what, count]) => count > 0n || SUMS.includes(what));
    return layout(context, {
      ...page,
      main: html`${form}
${notice(ok ? texts.ok : texts.differs(differences.length), ok ? 'good' : 'bad', 'status')}
${differencesTable(speech, differences)}
${card(
  texts.checked,
  facts(
    counted.map(([what, count]) => [
      countName(speech, what),
      /^sats_/.test(what) ? satsNumber(speech, count) : speech.f.count(count),
    ]),
  ),
)}
${sumsTable(speech, read.done)}`,
    });
  },
};

/** Shown in any case. */
const SUMS = ['sats_settled', 'sats_debited', 'sats_credited', 'payments', 'cash_outs', 'lamassu_rows'];

interface SumRow {
  day: ReconciliationView['days'][number];
  side: 'ledger' | 'lamassu';
  count: number;
  cash: string;
  gross: bigint;
}

/** By machine and currency, the books above Lamassu. */
function sumsTable(speech: Speech, { days }: ReconciliationView): PageHtml {
  const texts = textsOf(speech).reconcile;
  const groups = Map.groupBy(days, ({ machine, currency }) => `${machine} ${currency}`);
  const rows = [...groups.values()].flatMap((ones): SumRow[] => {
    const [day] = ones;
    if (day === undefined) return [];
    return (['ledger', 'lamassu'] as const).map((side) => ({
      ...{ day, side, count: ones.reduce((all, one) => all + one[side].cash_outs, 0) },
      cash: cashSum(ones.map((one) => one[side].fiat)),
      gross: sum(ones.map((one) => one[side].gross_sats)),
    }));
  });
  if (rows.length === 0) return html``;
  const { heads } = texts;
  return htmlTable(
    speech,
    [
      {
        ...{ head: heads.machine, isHead: true },
        cell: ({ day: { machine, machine_name: name } }) => machineLink(machine, name),
      },
      { head: heads.by, cell: ({ side }) => texts[side] },
      { head: heads.count, kind: 'num', cell: ({ count }) => speech.f.count(count) },
      { head: heads.cash, kind: 'num', cell: ({ cash, day }) => money(speech, cash, day.currency) },
      { head: heads.gross, kind: 'num', cell: ({ gross }) => satsNumber(speech, gross) },
    ],
    rows,
    { caption: texts.byMachine },
  );
}

/** Of one currency, so all have the same digits. */
function cashSum(amounts: readonly string[]): string {
  const digits = amounts[0]?.split('.')[1]?.length ?? 0;
  return formatDecimal(sum(amounts.map((one) => parseDecimal(one, digits))), digits);
}

export const bookPages: readonly PageRoute[] = [booksPage, verifyPage, reconcilePage];
