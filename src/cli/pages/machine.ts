import { groupDigits, parseDecimal, percent, percentRange, RATE_SCALE } from '../../dca/money.ts';
import { call, type Message, message, steps } from '../../lib/message.ts';
import type {
  ChangedMachineView,
  MachineView,
  ReplacedMachineView,
  ReplacementView,
  ShownMachineView,
} from '../../views/machines.ts';
import { clean } from '../terminal/clean.ts';
import { formatMachine, formatTime } from '../terminal/figures.ts';
import { table } from '../terminal/table.ts';
import { wrapped } from '../terminal/wrap.ts';

export function machinesPage(all: MachineView[], timezone: string): string | Message {
  if (all.length === 0) {
    return message`No machine is known yet. ${call('doctor')} reads the machines of Lamassu.`;
  }
  const rows = all.map((one) => [
    formatMachine(one.machine, one.name),
    one.currency ?? 'not set',
    one.commission_rate && percent(rateOf(one.commission_rate)),
    amounts(one.remaining),
    amounts(one.remaining_any_machine),
    one.last_cash_out && formatTime(one.last_cash_out, timezone).slice(0, 16),
  ]);
  return table(['machine', 'currency', 'rate', 'cash for it', 'cash for any', 'last cash-out'], rows);
}

export function machinePage(one: ShownMachineView, timezone: string): string | Message {
  const { replaced_by: by, replaced_at: since } = one;
  if (by === null || since === null) return settingsOf(one, timezone);
  const next = label({ machine: by, name: one.replaced_by_name });
  return message`${wrapped(`Replaced by ${next} since ${formatTime(since, timezone)}; to take it back:`)}${steps([call('machines.replace', { old: clean(by), new: clean(one.machine) })])}\n${settingsOf(one, timezone)}`;
}

export function changedMachinePage(one: ChangedMachineView, timezone: string): string {
  const kept = Object.entries(one.outside_rates).map(([id, rate]) => `${id} (${percent(rateOf(rate))})`);
  return [
    settingsOf(one, timezone),
    ...(kept.length > 0 ? [`Outside of that, and as agreed before: ${kept.join(', ')}.`] : []),
  ].join('\n');
}

/** The question before a machine is replaced. */
export function replacementQuestion({ old, new: next, fundings }: ReplacementView): string {
  const each = fundings.map(
    (one) => `${one.id} of ${one.client} (${groupDigits(one.remaining)} ${one.currency})`,
  );
  const moved =
    each.length === 0
      ? 'no open funding moves'
      : `with it ${each.length === 1 ? 'moves' : 'move'} ${each.join(', ')}`;
  return wrapped(
    clean(
      `${label(next)} takes the place of ${label(old)}: ${moved}. ` +
        `Device id ${old.machine} is then no longer in use. Replace it?`,
    ),
  );
}

export function replacedPage(one: ReplacedMachineView, timezone: string): string {
  const old = label({ machine: one.replaces, name: one.replaces_name });
  const moved = one.fundings.length === 0 ? 'it had no open fundings.' : `moved ${one.fundings.join(', ')}.`;
  return `${old} is replaced; ${moved}\n${settingsOf(one, timezone)}`;
}

function settingsOf(one: MachineView, timezone: string): string {
  const { commission_rate: rate, min_rate: min, max_rate: max } = one;
  return [
    `${one.name ?? 'A machine without a name'}, device id ${one.machine}, known since ${formatTime(one.first_seen, timezone)}`,
    `Currency: ${one.currency ?? 'not set, so cash of any currency serves it'}`,
    `Commission: ${rate === null ? 'what Lamassu charged' : percent(rateOf(rate))}; a funding may have ${percentRange(rateOf(min), rateOf(max))}`,
    `Cash of clients for this machine: ${amounts(one.remaining) || 'none'}`,
    `Cash of clients for any machine: ${amounts(one.remaining_any_machine) || 'none'}`,
    `Last cash-out: ${one.last_cash_out ? formatTime(one.last_cash_out, timezone) : 'none yet'}`,
  ]
    .map((line) => wrapped(clean(line)))
    .join('\n');
}

function label({ machine, name }: { machine: string; name: string | null }): string {
  return formatMachine(machine, name);
}

function amounts(byCurrency: Record<string, string>): string {
  return Object.entries(byCurrency)
    .map(([currency, amount]) => `${groupDigits(amount)} ${currency}`)
    .join(', ');
}

function rateOf(text: string): bigint;
function rateOf(text: string | null): bigint | null;
function rateOf(text: string | null): bigint | null {
  return text === null ? null : parseDecimal(text, RATE_SCALE);
}
