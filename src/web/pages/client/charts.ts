import { html } from 'hono/html';
import { formatDecimal, parseDecimal, SATS_PER_BTC } from '../../../dca/money.ts';
import { listAllFundings } from '../../../operations/fundings.ts';
import { sumPurchases } from '../../../operations/purchases.ts';
import { plus } from '../../../time.ts';
import type { ShownClientView } from '../../../views/clients.ts';
import type { PurchaseSumView } from '../../../views/purchases.ts';
import type { WebContext } from '../../request/site-context.ts';
import { performFor } from '../../request/visitor.ts';
import { money, satsNumber } from '../../view/amounts.ts';
import { chartWithTable, dayChart } from '../../view/chart.ts';
import { card, tabs } from '../../view/components.ts';
import type { HtmlContent } from '../../view/html.ts';
import { pathWith } from '../../view/lists.ts';
import type { OwnSpeech } from './own.ts';

/* What was bought, day by day, and at what price. */

const DAY_MS = 86_400_000;
const RANGES = ['30', '90', '365', 'all'] as const;

/** Of the currency in which most was bought. */
export async function charts(
  context: WebContext,
  speech: OwnSpeech,
  client: ShownClientView,
): Promise<HtmlContent> {
  const { x, f } = speech;
  const range = RANGES.find((one) => one === context.req.query('range')) ?? '90';
  const now = context.get('site').serving.clock.now();
  const to = f.isoDay(now);
  const [currency = ''] = Object.entries(client.metrics)
    .toSorted(([, a], [, b]) => b.purchases - a.purchases)
    .map(([code]) => code);
  const sums = await performFor(context, sumPurchases, { by: 'day' });
  const all = running(sums.filter((one) => one.currency === currency));
  const first = all[0]?.of ?? to;
  const wanted = range === 'all' ? first : f.isoDay(plus(now, -Number(range) * DAY_MS));
  const from = wanted < first ? first : wanted;
  const shown = all.filter((one) => one.of >= from);
  const marks = (await performFor(context, listAllFundings, {})).flatMap((one) => {
    const day = one.deposited_at === null ? '' : f.isoDay(one.deposited_at);
    const label = `${x.cash.funding(one.id)}: ${f.money(one.amount, one.currency)}`;
    return one.currency === currency && day >= from && day <= to ? [{ day, label }] : [];
  });
  const choice = tabs(
    x.home.range,
    RANGES.map((one) => ({
      ...{ href: pathWith('/', { range: one }), text: x.home.ranges[one] },
      isHere: one === range,
    })),
  );
  if (shown.length === 0)
    return card(x.home.chartTitle, html`<p class="quiet">${x.home.chartEmpty}</p>`, choice);
  return html`${card(x.home.chartTitle, received(speech, { all, shown, from, to, currency }, marks), choice)}
${card(x.home.priceTitle, prices(speech, { all, shown, from, to, currency }))}`;
}

/** A day with what there was until its end. */
interface RunningSum extends PurchaseSumView {
  totalSats: bigint;
  /** Minor units. */
  totalFiat: bigint;
}

/** The digits of the amounts are those of the currency, in all of them. */
function running(sums: readonly PurchaseSumView[]): RunningSum[] {
  let totalSats = 0n;
  let totalFiat = 0n;
  return sums.map((one) => {
    totalSats += one.net_sats;
    totalFiat += parseDecimal(one.fiat, digitsOf(one.fiat));
    return { ...one, totalSats, totalFiat };
  });
}

interface ChartSpan {
  all: readonly RunningSum[];
  shown: readonly RunningSum[];
  from: string;
  to: string;
  currency: string;
}

function received(
  speech: OwnSpeech,
  { all, shown, from, to, currency }: ChartSpan,
  marks: readonly { day: string; label: string }[],
) {
  const { x, f } = speech;
  const before = all.findLast((one) => one.of < from)?.totalSats ?? 0n;
  const points = [
    { day: from, value: Number(before) },
    ...thinned(shown).map((one) => ({ day: one.of, value: Number(one.totalSats) })),
    { day: to, value: Number(shown.at(-1)?.totalSats ?? before) },
  ];
  const picture = dayChart(speech, {
    ...{ label: x.home.chartLabel(f.localDay(from), f.localDay(to)), from, to },
    series: [{ kind: 'area', name: x.home.received, points }],
    ...{ marks, text: (value) => f.decimal(`${value}`) },
  });
  const legend =
    marks.length === 0
      ? []
      : [
          { kind: 'area' as const, name: x.statement.bought },
          { kind: 'mark' as const, name: x.home.mark },
        ];
  return chartWithTable(
    speech,
    { picture, legend, caption: x.home.chartTitle },
    [
      { ...{ head: x.home.day, isHead: true }, cell: (one: RunningSum) => f.localDay(one.of) },
      { ...{ head: x.purchases.cash, kind: 'num' }, cell: (one) => money(speech, one.fiat, currency) },
      { ...{ head: x.purchases.sats, kind: 'num' }, cell: (one) => satsNumber(speech, one.net_sats) },
      { ...{ head: speech.t.table.total, kind: 'num' }, cell: (one) => satsNumber(speech, one.totalSats) },
    ],
    newest(shown),
  );
}

function prices(speech: OwnSpeech, { shown, from, to, currency }: ChartSpan) {
  const { x, f } = speech;
  const priced = thinned(shown.filter((one) => one.price !== null));
  const digits = digitsOf(shown[0]?.fiat ?? '');
  const averages = priced.map((one) => ({ day: one.of, decimal: averageOf(one, digits) }));
  const picture = dayChart(speech, {
    ...{ label: x.home.priceLabel, from, to },
    series: [
      {
        kind: 'second',
        name: x.home.priceAverage,
        points: averages.map(({ day, decimal }) => ({ day, value: Number(decimal) })),
      },
      {
        kind: 'dots',
        name: x.home.priceDay,
        points: priced.map((one) => ({ day: one.of, value: Number(one.price) })),
      },
    ],
    text: (value) => f.money(`${value}`, currency),
  });
  const legend = [
    { kind: 'dots' as const, name: x.home.priceDay },
    { kind: 'second' as const, name: x.home.priceAverage },
  ];
  return chartWithTable(
    speech,
    { picture, legend, caption: x.home.priceTitle },
    [
      { ...{ head: x.home.day, isHead: true }, cell: (one: RunningSum) => f.localDay(one.of) },
      { ...{ head: x.home.priceDay, kind: 'num' }, cell: (one) => money(speech, one.price ?? '0', currency) },
      {
        ...{ head: x.home.priceAverage, kind: 'num' },
        cell: (one) => money(speech, averageOf(one, digits), currency),
      },
    ],
    newest(priced),
  );
}

/** More points than this are not told apart on a phone, and make the page heavy. */
const MOST_POINTS = 45;

/** The last of each so many days, the very last one among them. */
function thinned<Row>(rows: readonly Row[]): Row[] {
  const each = Math.ceil(rows.length / MOST_POINTS);
  return rows.filter((_, index) => (rows.length - 1 - index) % each === 0);
}

/** A table of years is a statement's. */
const MOST_ROWS = 12;

function newest<Row>(rows: readonly Row[]): Row[] {
  return rows.slice(-MOST_ROWS).toReversed();
}

/** The average price of all until that day, rounded half up, as decimal text. */
function averageOf({ totalFiat, totalSats }: RunningSum, digits: number): string {
  if (totalSats === 0n) return formatDecimal(0n, digits);
  return formatDecimal((totalFiat * SATS_PER_BTC * 2n + totalSats) / (totalSats * 2n), digits);
}

function digitsOf(decimal: string): number {
  return decimal.split('.')[1]?.length ?? 0;
}
