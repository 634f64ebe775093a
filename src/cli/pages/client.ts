import type { Currencies } from '../../dca/currency.ts';
import { formatDecimal, groupDigits } from '../../dca/money.ts';
import type { LimitChange } from '../../ledger/clients/changes.ts';
import type { Client } from '../../ledger/clients/clients.ts';
import type { ClientView, InCurrency } from '../../ledger/clients/view.ts';
import { type Amount, parseAmount, parseCurrency } from '../../typed/numbers.ts';
import { usage } from '../context.ts';
import { formatFiat, formatSats, formatTime, table, wrapped } from '../print.ts';

/** `clients show --json`, as docs and scripts know it. */
export function clientJson({ client, currencies }: ClientView) {
  return {
    name: client.name,
    mode: client.mode,
    status: statusOf(client),
    daily_limits: limitsJson(client, (limit) => limit.daily),
    max_daily_limits: limitsJson(client, (limit) => limit.max),
    wallet_id: client.walletId,
    created_at: client.createdAt,
    balances: currencies.map((one) => ({
      currency: one.currency,
      in_flight: formatDecimal(one.inFlight, one.digits),
      remaining: formatDecimal(one.remaining, one.digits),
      spent: formatDecimal(one.spent, one.digits),
    })),
    metrics: Object.fromEntries(currencies.map((one) => [one.currency, metricsJson(one)])),
  };
}

function limitsJson({ limits }: Client, which: (limit: Client['limits'][number]) => bigint | null) {
  return Object.fromEntries(
    limits.flatMap((limit) => {
      const minor = which(limit);
      return minor === null ? [] : [[limit.currency, formatDecimal(minor, limit.digits)]];
    }),
  );
}

function metricsJson({ metrics, digits, ...one }: InCurrency) {
  return {
    sats_stacked: metrics.satsStacked,
    fiat_spent: formatDecimal(metrics.fiatSpent, digits),
    average_rate: metrics.averageRate === null ? null : formatDecimal(metrics.averageRate, digits),
    sats_per_unit: metrics.satsPerUnit === null ? null : formatDecimal(metrics.satsPerUnit, 2),
    purchases: one.purchases,
    waiting_sats: one.waitingSats,
    waiting_fiat: formatDecimal(one.waitingFiat, digits),
    first_at: one.firstAt,
    last_at: one.lastAt,
  };
}

/** `paused` stands in the settings, the other words in the client's own row. */
export function statusOf({ status, paused }: Client): string {
  return status === 'active' && paused ? 'paused' : status;
}

/** One client, for a person. */
export function clientPage({ client, currencies }: ClientView, timezone: string): string {
  const limits = client.limits.map(({ daily, max, digits, currency }) => {
    const most = max === null ? '' : ` (at most ${formatFiat(max, digits, currency)})`;
    return `${formatFiat(daily, digits, currency)}${most}`;
  });
  return [
    wrapped(
      `${client.name}: ${client.mode} mode, ${statusOf(client)}, since ${formatTime(client.createdAt, timezone)}`,
    ),
    `Wallet: ${client.walletId}`,
    ...(limits.length > 0 ? [wrapped(`Daily limit: ${limits.join(', ')}`)] : []),
    ...(currencies.length > 0 ? currencies.map((one) => inCurrency(one, timezone)) : ['No cash yet.']),
  ].join('\n');
}

function inCurrency(one: InCurrency, timezone: string): string {
  const { currency, digits, metrics } = one;
  const fiat = (minor: bigint) => formatFiat(minor, digits, currency);
  const { averageRate, satsPerUnit } = metrics;
  return table(
    [currency, ''],
    [
      ['cash on its way', fiat(one.inFlight)],
      ['cash in machines', fiat(one.remaining)],
      ['cash spent', fiat(one.spent)],
      ['received', formatSats(metrics.satsStacked)],
      ['for', fiat(metrics.fiatSpent)],
      ...(averageRate === null ? [] : [['average', `${fiat(averageRate)} per BTC`]]),
      ...(satsPerUnit === null
        ? []
        : [['', `${groupDigits(formatDecimal(satsPerUnit, 2))} sat per ${currency}`]]),
      ['purchases', one.purchases],
      ...(one.firstAt ? [['first', formatTime(one.firstAt, timezone)]] : []),
      ...(one.lastAt ? [['last', formatTime(one.lastAt, timezone)]] : []),
      ...(one.waitingFiat > 0n
        ? [['waiting', `${formatSats(one.waitingSats)} for ${fiat(one.waitingFiat)}`]]
        : []),
    ],
  );
}

/** An amount, or `none GTQ`: the limit in that currency is taken away. */
function parseLimit(
  text: string,
  field: string,
  known: Currencies,
): Omit<Amount, 'minor'> & { minor: bigint | null } {
  const [, code] = /^\s*none\s+(\S+)\s*$/i.exec(text) ?? [];
  return code === undefined
    ? parseAmount(text, field, known)
    : { ...parseCurrency(code, field, known), minor: null };
}

/** `--daily-limit` and `--max-daily-limit`, each at most once per currency, together by currency. */
export function limitChanges(
  options: { dailyLimit?: string[]; maxDailyLimit?: string[] },
  known: Currencies,
): LimitChange[] {
  const changes = new Map<string, LimitChange>();
  for (const [key, field, texts] of [
    ['daily', '--daily-limit', options.dailyLimit ?? []],
    ['max', '--max-daily-limit', options.maxDailyLimit ?? []],
  ] as const) {
    for (const text of texts) {
      const { minor, currency, digits } = parseLimit(text, field, known);
      const change = changes.get(currency) ?? { currency, digits };
      if (change[key] !== undefined)
        throw usage(`${field}: given twice for ${currency}.`, 'Give it once per currency.');
      changes.set(currency, { ...change, [key]: minor });
    }
  }
  return [...changes.values()];
}
