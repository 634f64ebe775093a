import { type Command, Option } from 'commander';
import { formatDecimal, groupDigits, percent } from '../dca/money.ts';
import type { Funding } from '../ledger/fundings/view.ts';
import { now } from '../time.ts';
import { parseId, parseName } from '../typed/names.ts';
import { makeCli } from './context.ts';
import { add, adjust, cancel, confirm, move, withdraw } from './funding-changes.ts';
import { takesNegative } from './negative.ts';
import { fiat, fundingJson, fundingPage } from './pages/funding.ts';
import { formatTime, table } from './print.ts';
import { withReason } from './reason.ts';

export function register(program: Command): void {
  fill(
    program.command('fundings').description('cash of clients, on its way or in a machine (alias: deposits)'),
  );
}

/** The same under the name that operators of the older extensions know. */
export function registerAlias(program: Command): void {
  fill(
    program.command('deposits', { hidden: true }).description('cash of clients, on its way or in a machine'),
  );
}

function fill(fundings: Command): void {
  late(
    fundings
      .command('add')
      .description('add cash of a client: on its way, or with --deposited in the machine')
      .argument('<client>', 'name of the client')
      .argument('<amount>', 'with its currency, like "3000 GTQ"')
      .addOption(
        new Option('--machine <machine>', 'it serves this machine only: device id or name').conflicts(
          'anyMachine',
        ),
      )
      .option('--any-machine', 'it serves every machine of its currency')
      .option(
        '--rate <rate>',
        "a commission rate of its own, like 5% (default: the machine's, or what Lamassu charged)",
      )
      .option('--new-currency', 'its currency is right, though no machine has paid it out so far')
      .option('--deposited', 'the cash is in the machine')
      .option('--at <time>', 'since when it is in the machine (default: now)'),
  )
    .addHelpText(
      'after',
      '\nExamples:\n  aio-dca fundings add alice "3000 GTQ" --deposited\n' +
        '  aio-dca fundings add bob "5000 GTQ" --machine Antigua --rate 5%\n' +
        '  aio-dca fundings add bob "500 GTQ" --any-machine --deposited --at "2026-11-20 09:30"',
    )
    .action(add);
  late(
    fundings
      .command('confirm')
      .description('cash that was on its way is in the machine now; with --at also when that really was')
      .argument('<id>', 'funding, like f12')
      .option('--counted <amount>', 'what was counted there, like "2950 GTQ" (default: what was announced)')
      .option('--at <time>', 'since when (default: now)'),
  )
    .addHelpText(
      'after',
      '\nExamples:\n  aio-dca fundings confirm f12 --counted "2950 GTQ"\n' +
        '  aio-dca fundings confirm f12 --at "2026-11-20 09:30" --no-past',
    )
    .action(confirm);
  withReason(fundings.command('cancel'))
    .description('cash that was on its way did not arrive')
    .argument('<id>', 'funding, like f12')
    .addHelpText('after', '\nExample:\n  aio-dca fundings cancel f12 --reason "sent back"')
    .action(cancel);
  fundings
    .command('withdraw')
    .description('cash is taken out of the machine again: what remains, or a part of it')
    .argument('<id>', 'funding, like f12')
    .argument('[amount]', 'with its currency, like "500 GTQ" (default: all that remains)')
    .requiredOption('--reason <text>', 'why, for the log')
    .addHelpText(
      'after',
      '\nExample:\n  aio-dca fundings withdraw f12 "500 GTQ" --reason "client asked for it"',
    )
    .action(withdraw);
  fundings
    .command('adjust')
    .description('put a wrong amount right: so much more, or with a minus less, is there')
    .argument('<id>', 'funding, like f12')
    .argument('<amount>', 'the difference with its currency, like "-50 GTQ"')
    .requiredOption('--reason <text>', 'why, for the log')
    .addHelpText(
      'after',
      '\nExample:\n  aio-dca fundings adjust f12 "-50 GTQ" --reason "a note was counted twice"',
    )
    .action(adjust);
  withReason(fundings.command('move'))
    .description('cash that is on its way to, or lies in, another machine')
    .argument('<id>', 'funding, like f12')
    .addOption(
      new Option('--machine <machine>', 'it serves this machine only: device id or name').conflicts(
        'anyMachine',
      ),
    )
    .option('--any-machine', 'it serves every machine of its currency')
    .addHelpText('after', '\nExample:\n  aio-dca fundings move f12 --machine Centro')
    .action(move);
  fundings
    .command('list')
    .description('all fundings, or those of one client or status')
    .option('--client <name>', 'of this client')
    .addOption(
      new Option('--status <status>', 'in this status').choices([
        'in_flight',
        'deposited',
        'exhausted',
        'cancelled',
        'withdrawn',
      ]),
    )
    .addHelpText('after', '\nExample:\n  aio-dca fundings list --client alice')
    .action(list);
  fundings
    .command('show')
    .description('one funding and what happened to it')
    .argument('<id>', 'funding, like f12')
    .addHelpText('after', '\nExample:\n  aio-dca fundings show f12')
    .action(show);
  for (const command of fundings.commands) takesNegative(command);
}

/** What happens to cash-outs that were divided before the cash was entered. */
function late(command: Command): Command {
  return withReason(command)
    .option('--from-own', "entered late: it gets its part of the operator's own share in past cash-outs")
    .option('--no-past', 'entered late: past cash-outs stay as they are');
}

async function list(
  options: { client?: string; status?: Funding['status'] },
  command: Command,
): Promise<void> {
  const cli = makeCli(command);
  const { timezone } = await cli.config();
  const { listFundings } = await import('../ledger/fundings/view.ts');
  const { findClient } = await import('../ledger/clients/clients.ts');
  const fundings = await cli.withLedger('read', async ({ db }) => {
    const { client, status } = options;
    if (client === undefined) return listFundings(db, { status });
    const { name } = await findClient(db, parseName(client, '--client'), now());
    return listFundings(db, { client: name, status });
  });
  const rows = fundings.map((one) => [
    `f${one.id}`,
    one.client,
    one.machine === null ? 'any' : (one.machineName ?? one.machine),
    fiat(one, one.amount),
    groupDigits(formatDecimal(one.remaining, one.digits)),
    one.rate === null ? null : percent(one.rate),
    one.status,
    one.deposited_at && formatTime(one.deposited_at, timezone).slice(0, 16),
  ]);
  cli.answer(
    fundings.map(fundingJson),
    rows.length === 0
      ? 'No fundings.'
      : table(['id', 'client', 'machine', 'amount', 'remaining', 'rate', 'status', 'deposited'], rows),
  );
}

async function show(text: string, _options: object, command: Command): Promise<void> {
  const cli = makeCli(command);
  const id = parseId('f', text, 'ID');
  const { timezone } = await cli.config();
  const { findFunding } = await import('../ledger/fundings/view.ts');
  const { historyOf } = await import('../ledger/fundings/history.ts');
  const { funding, history } = await cli.withLedger('read', async ({ db }) => {
    const found = await findFunding(db, id);
    return { funding: found, history: await historyOf(db, found) };
  });
  cli.answer({ ...fundingJson(funding), history }, fundingPage(funding, history, timezone));
}
