import type { Command } from 'commander';
import { formatDecimal } from '../dca/money.ts';
import { now } from '../time.ts';
import { parseId } from '../typed/names.ts';
import { parseSats } from '../typed/numbers.ts';
import { makeCli, usage } from './context.ts';
import { formatFiat, formatSats } from './print.ts';

export function registerOverpaid(payouts: Command): void {
  payouts
    .command('overpaid')
    .description('book what a recipient got beyond what a payout owed him')
    .argument('<id>', 'of the payout, like p118')
    .option('--payment <hash>', 'the payment that was given up and arrived all the same')
    .option('--sats <amount>', 'how much it was, like "484207 sat"; by default what the payout owed')
    .option('--funding <id>', 'take the cash that it is worth, at the price of the payout, off this one')
    .requiredOption('--reason <text>', 'what became of it, for the log')
    .addHelpText(
      'after',
      '\nWithout --funding it is only written down: the sats were returned, or are a present.\n' +
        '\nExamples:\n  aio-dca payouts overpaid p118 --funding f3 --reason "paid by two hosts; alice agrees"\n' +
        '  aio-dca payouts overpaid p118 --payment 9f…c2 --reason "alice sent it back"',
    )
    .action(overpaid);
}

interface Options {
  payment?: string;
  sats?: string;
  funding?: string;
  reason: string;
}

async function overpaid(text: string, options: Options, command: Command): Promise<void> {
  const cli = makeCli(command);
  const id = parseId('p', text, 'ID');
  const reason = options.reason.trim();
  if (reason === '') throw usage('--reason: it is empty.', 'Say what became of it: it is kept in the log.');
  if (options.payment !== undefined && options.sats !== undefined)
    throw usage('--sats: --payment is given too, which says how much it was.', 'Use one of them.');
  const funding = options.funding === undefined ? null : parseId('f', options.funding, '--funding');
  const sats = options.sats === undefined ? undefined : parseSats(options.sats, '--sats');
  const of = options.payment === undefined ? { sats } : { hash: options.payment.trim().toLowerCase() };
  const { bookOverpaid, overpaidBy } = await import('../ledger/payouts/overpaid.ts');
  await cli.withLedger('write', async (ledger) => {
    const shown = await overpaidBy(ledger.db, id, of);
    const worth = formatFiat(shown.fiat, shown.digits, shown.currency);
    const what = `${shown.recipient} got ${formatSats(shown.sats)} too much, at the price of p${id} ${worth}`;
    await cli.confirm(
      funding === null
        ? `${what}. Write it down, and change nothing else?`
        : `${what}. Take ${worth} off f${funding}?`,
    );
    const after = await ledger.write(async (trx) => {
      const again = await overpaidBy(trx, id, of);
      if (again.sats !== shown.sats || again.fiat !== shown.fiat)
        throw usage('ID: meanwhile it became something else.', 'Look at it again: nothing was written.');
      return bookOverpaid(trx, cli.who, again, { funding, reason }, now());
    });
    const fiat = formatDecimal(shown.fiat, shown.digits);
    cli.answer(
      {
        ...{ payout: `p${id}`, recipient: shown.recipient, sats: shown.sats, fiat, currency: shown.currency },
        payment_hash: shown.payment?.hash ?? null,
        funding: after && { id: `f${after.id}`, remaining: formatDecimal(after.remaining, after.digits) },
      },
      after === null
        ? `Written down: ${what}.`
        : `Took ${worth} off f${after.id}: ${formatFiat(after.remaining, after.digits, after.currency)} remain.`,
    );
  });
}
