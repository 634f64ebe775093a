import { cashText } from '../../dca/money.ts';
import { type Message, message } from '../../lib/message.ts';
import type { PreviewedWithdrawalView, WithdrawnFundingView } from '../../views/fundings.ts';
import { formatMachine } from '../terminal/figures.ts';
import { lastReadingText, withLastReading } from './last-reading.ts';

export function withdrawalQuestion(seen: PreviewedWithdrawalView, timezone: string): Message {
  const { id, client, machine, machine_name: name, taken, lamassu } = seen;
  const where = machine === null ? 'the machine' : formatMachine(machine, name);
  return message`${lastReadingText(id, lamassu, timezone)}\nTake all ${cashText(taken, seen.currency)} that remain of ${id} of ${client} out of ${where}?`;
}

export function withdrawnPage(done: WithdrawnFundingView, timezone: string): string {
  const { id, client, taken, remaining, currency } = done;
  const withdrew = `Withdrew ${cashText(taken, currency)} of ${id} of ${client}; ${cashText(remaining, currency)} remain.`;
  return withLastReading(done, withdrew, timezone);
}
