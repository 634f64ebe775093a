import { type Command, Option } from 'commander';
import { formatDecimal, groupDigits } from '../dca/money.ts';
import type { Funding } from '../ledger/fundings.ts';
import { now } from '../time.ts';
import { makeCli, usage } from './context.ts';
import { describe, fiat, fundingJson, fundingPage, pastJson, pastText, percent } from './funding-page.ts';
import { parseAmount, parseId, parseName, parseRate, parseTime } from './parse.ts';
import { formatTime, table } from './print.ts';

const HIGHEST_RATE = 50_000n;

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
    .option('--deposited', 'the cash is in the machine')
    .option('--at <time>', 'since when it is in the machine (default: now)')
    .addHelpText(
      'after',
      '\nExamples:\n  aio-dca fundings add alice "3000 GTQ" --deposited\n' +
        '  aio-dca fundings add bob "5000 GTQ" --machine Antigua --rate 5%\n' +
        '  aio-dca fundings add bob "500 GTQ" --any-machine --deposited --at "2026-11-20 09:30"',
    )
    .action(add);
  fundings
    .command('confirm')
    .description('cash that was on its way is in the machine now')
    .argument('<id>', 'funding, like f12')
    .option('--at <time>', 'since when (default: now)')
    .addHelpText('after', '\nExample:\n  aio-dca fundings confirm f12 --at "2026-11-20 09:30"')
    .action(confirm);
  fundings
    .command('cancel')
    .description('cash that was on its way did not arrive')
    .argument('<id>', 'funding, like f12')
    .option('--reason <text>', 'why, for the log')
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
}

interface AddOptions {
  machine?: string;
  anyMachine?: boolean;
  rate?: string;
  deposited?: boolean;
  at?: string;
}

async function add(name: string, text: string, options: AddOptions, command: Command): Promise<void> {
  const cli = makeCli(command);
  const client = parseName(name, 'CLIENT');
  const amount = parseAmount(text, 'amount');
  const rate = options.rate === undefined ? null : parseRate(options.rate, '--rate');
  if (rate !== null && rate > HIGHEST_RATE) {
    throw usage('--rate: more than 50 % is no commission rate.', 'Write it like "5%" or "0.05".');
  }
  if (options.at !== undefined && !options.deposited) {
    throw usage(
      '--at: this is when the cash was in the machine, and --deposited was not given.',
      'Add --deposited, or give --at to `aio-dca fundings confirm`.',
    );
  }
  const { timezone } = await cli.config();
  const since = options.at === undefined ? undefined : parseTime(options.at, timezone, '--at');
  const { addFunding } = await import('../ledger/fundings.ts');
  const { funding, past } = await cli.withLedger('write', (ledger) =>
    ledger.write((trx) => {
      const at = now();
      const depositedAt = options.deposited ? (since ?? at) : null;
      const machine = options.anyMachine ? null : options.machine;
      return addFunding(
        trx,
        { actor: cli.actor, run: null },
        { client, amount, machine, rate, depositedAt },
        at,
      );
    }),
  );
  const next =
    funding.status === 'in_flight'
      ? `When it is in the machine: aio-dca fundings confirm f${funding.id}`
      : undefined;
  cli.answer(
    { ...fundingJson(funding), past: pastJson(funding, past) },
    lines([`Added ${describe(funding, timezone)}.`, pastText(funding, past), next]),
  );
}

async function confirm(text: string, options: { at?: string }, command: Command): Promise<void> {
  const cli = makeCli(command);
  const id = parseId('f', text, 'ID');
  const { timezone } = await cli.config();
  const since = options.at === undefined ? undefined : parseTime(options.at, timezone, '--at');
  const { confirmFunding } = await import('../ledger/fundings.ts');
  const { funding, past } = await cli.withLedger('write', (ledger) =>
    ledger.write((trx) => {
      const at = now();
      return confirmFunding(trx, { actor: cli.actor, run: null }, id, since ?? at, at);
    }),
  );
  cli.answer(
    { ...fundingJson(funding), past: pastJson(funding, past) },
    lines([`Confirmed ${describe(funding, timezone)}.`, pastText(funding, past)]),
  );
}

async function cancel(text: string, options: { reason?: string }, command: Command): Promise<void> {
  const cli = makeCli(command);
  const id = parseId('f', text, 'ID');
  const { cancelFunding } = await import('../ledger/fundings.ts');
  const funding = await cli.withLedger('write', (ledger) =>
    ledger.write((trx) => cancelFunding(trx, { actor: cli.actor, run: null }, id, now(), options.reason)),
  );
  cli.answer(
    fundingJson(funding),
    `Cancelled f${funding.id}, ${fiat(funding, funding.amount)} of ${funding.client}.`,
  );
}

async function withdraw(
  id: string,
  text: string | undefined,
  options: { reason: string },
  command: Command,
): Promise<void> {
  const cli = makeCli(command);
  const funding = parseId('f', id, 'ID');
  const amount = text === undefined ? null : parseAmount(text, 'amount');
  const reason = options.reason.trim();
  if (reason === '') throw usage('--reason: it is empty.', 'Say in a few words why the cash is taken out.');
  const { findFunding, withdrawFunding } = await import('../ledger/fundings.ts');
  const { before, after } = await cli.withLedger('write', (ledger) =>
    ledger.write(async (trx) => ({
      before: await findFunding(trx, funding),
      after: await withdrawFunding(trx, { actor: cli.actor, run: null }, funding, amount, now(), reason),
    })),
  );
  const taken = fiat(after, before.remaining - after.remaining);
  cli.answer(
    fundingJson(after),
    `Withdrew ${taken} of f${after.id} of ${after.client}; ${fiat(after, after.remaining)} remain.`,
  );
}

async function list(
  options: { client?: string; status?: Funding['status'] },
  command: Command,
): Promise<void> {
  const cli = makeCli(command);
  const { timezone } = await cli.config();
  const { listFundings } = await import('../ledger/fundings.ts');
  const { findClient } = await import('../ledger/clients.ts');
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
  const { findFunding } = await import('../ledger/fundings.ts');
  const { historyOf } = await import('../ledger/funding-history.ts');
  const { funding, history } = await cli.withLedger('read', async ({ db }) => {
    const found = await findFunding(db, id);
    return { funding: found, history: await historyOf(db, found) };
  });
  cli.answer({ ...fundingJson(funding), history }, fundingPage(funding, history, timezone));
}

function lines(texts: (string | undefined)[]): string {
  return texts.filter((text) => text !== undefined).join('\n');
}
