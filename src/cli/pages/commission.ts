import { formatSats } from '../../dca/money.ts';
import { call, type Message, message } from '../../lib/message.ts';
import type { ChangedRecipientView, CommissionRecipientView as Recipient } from '../../views/commission.ts';
import { clean } from '../terminal/clean.ts';
import { formatMachine } from '../terminal/figures.ts';
import { type Cell, table } from '../terminal/table.ts';
import { movedPage } from './moved.ts';

type WeightView = Recipient['weights'][number];

export function recipientsPage(all: Recipient[]): string | Message {
  if (all.length === 0) {
    return message`No recipients: the commission stays in the source wallet.\n${call('commission.add', { name: null, wallet_key: null, weight: null })} adds one.`;
  }
  const rows = all.flatMap((one): Cell[][] => {
    const sats = [formatSats(one.waiting_sats), formatSats(one.received_sats)];
    if (one.weights.length === 0) return [[one.name, '(removed)', null, null, ...sats]];
    // Received sats are not recorded per machine, so they are shown once.
    return one.weights.map((weight, index) => [
      ...[one.name, machineOrAll(weight), weight.weight, weight.share],
      ...(index === 0 ? sats : []),
    ]);
  });
  return table(['recipient', 'machine', 'weight', 'share', 'waiting', 'received'], rows);
}

export function addedRecipientPage(
  { name, wallet_id: wallet, recipients }: ChangedRecipientView,
  isBackdated: boolean,
): string {
  return [
    `Added commission recipient ${name}, paid into wallet ${wallet}.`,
    divisions(recipients),
    ...(isBackdated
      ? []
      : ['It receives nothing from earlier cash-outs, even if they are not read yet; --from includes them.']),
  ].join('\n');
}

export function changedPage(done: ChangedRecipientView): string {
  const { name, wallet_id: wallet, open_payouts: moved, recipients } = done;
  return [
    `Changed commission recipient ${name}, paid into wallet ${wallet}.`,
    ...(moved ? [movedPage(moved)] : []),
    divisions(recipients),
  ].join('\n');
}

export function removedPage(done: ChangedRecipientView, machine: string | undefined): string {
  const waits = done.waiting_sats > 0n ? ` ${formatSats(done.waiting_sats)} that wait are still paid.` : '';
  const where = done.status === 'removed' ? '' : ` at ${machine}`;
  return `Removed commission recipient ${done.name}${where}.${waits}\n${divisions(done.recipients)}`;
}

/** Who receives the commission of what from now on, one line per machine that has recipients of its own. */
function divisions(all: Recipient[]): string {
  const parts = all.flatMap(({ name, weights }) => weights.map((weight) => ({ name, weight })));
  const places = Map.groupBy(parts, ({ weight }) => weight.machine ?? '');
  const others = places.size > (places.has('') ? 1 : 0) ? 'all other machines' : 'all machines';
  const lines = [...places]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([machine, there]) => {
      const where = machine === '' ? others : there.map(({ weight }) => machineOrAll(weight))[0];
      return `  ${where}: ${there.map(({ name, weight }) => `${name} ${weight.share}`).join(', ')}`;
    });
  const none = places.has('') ? [] : [`  ${others}: stays in the source wallet`];
  return ['Commission of cash-outs that are confirmed from now on:', ...lines, ...none].join('\n');
}

function machineOrAll({ machine, machine_name: name }: WeightView): string {
  return machine === null ? 'all machines' : name === null ? formatMachine(machine, null) : clean(name);
}
