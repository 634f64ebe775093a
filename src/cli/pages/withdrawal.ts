import { type Message, message } from '../../lib/message.ts';
import type { PreviewedWithdrawalView, WithdrawnFundingView } from '../../views/fundings.ts';
import { clean } from '../terminal/clean.ts';
import { formatTime } from '../terminal/figures.ts';
import { inCommandWords } from '../terminal/words.ts';
import { cash } from './cash-out.ts';

export function withdrawalQuestion(seen: PreviewedWithdrawalView, timezone: string): Message {
  const { id, client, machine, machine_name: name, taken } = seen;
  const where = machine === null ? 'the machine' : clean(name ?? machine);
  return message`${readText(seen, timezone)}\nTake all ${cash(taken, seen.currency)} that remain of ${id} of ${client} out of ${where}?`;
}

export function withdrawnPage(done: WithdrawnFundingView, timezone: string): string {
  const { id, client, taken, remaining } = done;
  const withdrew = `Withdrew ${cash(taken, done.currency)} of ${id} of ${client}; ${cash(remaining, done.currency)} remain.`;
  return done.lamassu.problem ? `${readText(done, timezone)}\n${withdrew}` : withdrew;
}

/** How far Lamassu was read, and so whether the ledger knows all cash that came out. */
function readText({ id, lamassu }: WithdrawnFundingView, timezone: string): string {
  const { read_at: at, problem } = lamassu;
  if (problem === null) {
    const now = at === null ? '' : `, at ${formatTime(at, timezone)}`;
    return `Lamassu was read just now${now}: no cash-out took cash of ${id} that is not in the ledger.`;
  }
  const last = at === null ? 'It was never read before.' : `It was last read at ${formatTime(at, timezone)}.`;
  return [
    `Lamassu could not be read now: ${problem.code}: ${clean(inCommandWords(problem.message))}`,
    `${last} Cash of ${id} may have come out that the ledger does not know.`,
  ].join('\n');
}
