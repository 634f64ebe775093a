import { formatSats, groupDigits } from '../../dca/money.ts';
import { call, type Message, message } from '../../lib/message.ts';
import type { ChangedClientView, ClientView, ShownClientView } from '../../views/clients.ts';
import { formatTime } from '../terminal/figures.ts';
import { table } from '../terminal/table.ts';
import { wrapped } from '../terminal/wrap.ts';
import { movedPage } from './moved.ts';
import { waitLines } from './waits.ts';

type MetricsView = ClientView['metrics'][string];

export function clientsPage(all: ClientView[]): string | Message {
  if (all.length === 0) {
    return message`No clients yet. ${call('clients.add', { name: null, wallet_key: null })} adds one.`;
  }
  const rows = all.flatMap(({ name, mode, status, balances, metrics }) => {
    if (balances.length === 0) return [[name, mode, status]];
    return balances.map(({ currency, remaining, spent }) => {
      const bought = metrics[currency];
      return [
        ...[name, mode, status, cash(remaining, currency), cash(spent, currency)],
        bought && formatSats(bought.sats_stacked),
        bought && formatSats(bought.waiting_sats),
      ];
    });
  });
  return table(['client', 'mode', 'status', 'remaining', 'spent', 'received', 'waiting'], rows);
}

/** One client. */
export function clientPage(client: ClientView, timezone: string): string {
  const { name, mode, status, created_at: since, balances, metrics } = client;
  const limits = Object.entries(client.daily_limits).map(([currency, daily]) => {
    const max = client.max_daily_limits[currency];
    return `${cash(daily, currency)}${max === undefined ? '' : ` (at most ${cash(max, currency)})`}`;
  });
  return [
    wrapped(`${name}: ${mode} mode, ${status}, since ${formatTime(since, timezone)}`),
    `Wallet: ${client.wallet_id}`,
    ...(limits.length > 0 ? [wrapped(`Daily limit: ${limits.join(', ')}`)] : []),
    ...balances.flatMap((balance) => {
      const bought = metrics[balance.currency];
      return bought ? [balanceTable(balance, bought, timezone)] : [];
    }),
    ...(balances.length === 0 ? ['No cash yet.'] : []),
  ].join('\n');
}

/** The same, with what waits. */
export function shownClientPage(client: ShownClientView, timezone: string): string {
  const waits = client.waits.length === 0 ? [] : ['Waits:', ...waitLines(client.waits, timezone)];
  return [clientPage(client, timezone), ...waits].join('\n');
}

export function addedClientPage({ name, mode, wallet_id: wallet }: ClientView): Message {
  const next = call('fundings.add', {
    ...{ client: name, amount: '3000 GTQ' },
    ...{ any_machine: true, deposited: true },
  });
  return message`Added client ${name}, in ${mode} mode, paid into wallet ${wallet}.\nNext: ${next}`;
}

export function changedClientPage(client: ChangedClientView, timezone: string): string {
  return [
    `Changed client ${client.name}, from now on.`,
    ...(client.open_payouts ? [movedPage(client.open_payouts)] : []),
    clientPage(client, timezone),
  ].join('\n');
}

export function pausedClientPage({ name }: ClientView): string {
  return `Client ${name} is paused: no new shares from now on; what the client has already is still paid.`;
}

export function resumedClientPage({ name }: ClientView): string {
  return `Client ${name} is active: it shares in cash-outs from now on.`;
}

export function closedPage({ name }: ClientView): string {
  return `Client ${name} is closed.`;
}

function balanceTable(
  balance: ClientView['balances'][number],
  bought: MetricsView,
  timezone: string,
): string {
  const { currency } = balance;
  const { average_rate: average, sats_per_unit: perUnit, first_at: first, last_at: last } = bought;
  return table(
    [currency, ''],
    [
      ['cash on its way', cash(balance.in_flight, currency)],
      ['cash in machines', cash(balance.remaining, currency)],
      ['cash spent', cash(balance.spent, currency)],
      ['received', formatSats(bought.sats_stacked)],
      ['for', cash(bought.fiat_spent, currency)],
      ...(average === null ? [] : [['average', `${cash(average, currency)} per BTC`]]),
      ...(perUnit === null ? [] : [['', `${groupDigits(perUnit)} sat per ${currency}`]]),
      ['purchases', bought.purchases],
      ...(first ? [['first', formatTime(first, timezone)]] : []),
      ...(last ? [['last', formatTime(last, timezone)]] : []),
      ...(/[1-9]/.test(bought.waiting_fiat)
        ? [['waiting', `${formatSats(bought.waiting_sats)} for ${cash(bought.waiting_fiat, currency)}`]]
        : []),
    ],
  );
}

function cash(amount: string, currency: string): string {
  return `${groupDigits(amount)} ${currency}`;
}
