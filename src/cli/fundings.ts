import { type Command, Option } from 'commander';
import { formatDecimal, formatRate, groupDigits } from '../dca/money.ts';
import type { Funding, Past } from '../ledger/fundings.ts';
import { now } from '../time.ts';
import { type Cli, makeCli, usage } from './context.ts';
import { parseAmount, parseId, parseName, parseRate, parseTime } from './parse.ts';
import { formatFiat, formatTime, table } from './print.ts';

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

async function add(client: string, text: string, options: AddOptions, command: Command): Promise<void> {
  const cli = makeCli(command);
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
        { client: parseName(client, 'CLIENT'), amount, machine, rate, depositedAt },
        at,
      );
    }),
  );
  const next =
    funding.status === 'in_flight'
      ? `When it is in the machine: aio-dca fundings confirm f${funding.id}`
      : undefined;
  answer(cli, funding, `Added ${describe(funding, timezone)}.`, [pastText(funding, past), next]);
}

async function confirm(id: string, options: { at?: string }, command: Command): Promise<void> {
  const cli = makeCli(command);
  const { timezone } = await cli.config();
  const since = options.at === undefined ? undefined : parseTime(options.at, timezone, '--at');
  const { confirmFunding } = await import('../ledger/fundings.ts');
  const { funding, past } = await cli.withLedger('write', (ledger) =>
    ledger.write((trx) => {
      const at = now();
      return confirmFunding(trx, { actor: cli.actor, run: null }, parseId('f', id, 'ID'), since ?? at, at);
    }),
  );
  answer(cli, funding, `Confirmed ${describe(funding, timezone)}.`, [pastText(funding, past)]);
}

async function cancel(id: string, options: { reason?: string }, command: Command): Promise<void> {
  const cli = makeCli(command);
  const { cancelFunding } = await import('../ledger/fundings.ts');
  const funding = await cli.withLedger('write', (ledger) =>
    ledger.write((trx) =>
      cancelFunding(trx, { actor: cli.actor, run: null }, parseId('f', id, 'ID'), now(), options.reason),
    ),
  );
  answer(cli, funding, `Cancelled f${funding.id}, ${fiat(funding, funding.amount)} of ${funding.client}.`);
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
  answer(
    cli,
    after,
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
    if (options.client !== undefined) await findClient(db, options.client, now());
    return listFundings(db, options);
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

async function show(id: string, _options: object, command: Command): Promise<void> {
  const cli = makeCli(command);
  const { timezone } = await cli.config();
  const { findFunding } = await import('../ledger/fundings.ts');
  const { historyOf } = await import('../ledger/funding-history.ts');
  const { funding, history } = await cli.withLedger('read', async ({ db }) => {
    const found = await findFunding(db, parseId('f', id, 'ID'));
    return { funding: found, history: await historyOf(db, found) };
  });
  const rows = history.map((one) =>
    'cash_out' in one
      ? [
          formatTime(one.at, timezone),
          `cash-out ${one.cash_out}`,
          `${groupDigits(one.fiat)} ${funding.currency} for ${groupDigits(`${one.net_sats}`)} sat${one.settled ? '' : ', not settled yet'}`,
        ]
      : [formatTime(one.at, timezone), `${one.action} by ${one.actor}`, one.reason],
  );
  cli.answer(
    { ...fundingJson(funding), history },
    [
      `${describe(funding, timezone)}: ${funding.status.replace('_', ' ')}.`,
      `Remaining ${fiat(funding, funding.remaining)}, spent ${fiat(funding, funding.spent)}, withdrawn ${fiat(funding, funding.withdrawn)}.`,
      table(['at', 'what', ''], rows),
    ].join('\n'),
  );
}

function answer(cli: Cli, funding: Funding, text: string, more: (string | undefined)[] = []): void {
  cli.answer(fundingJson(funding), [text, ...more.filter((line) => line !== undefined)].join('\n'));
}

function fundingJson(one: Funding) {
  return {
    id: `f${one.id}`,
    client: one.client,
    machine: one.machine,
    currency: one.currency,
    amount: formatDecimal(one.amount, one.digits),
    remaining: formatDecimal(one.remaining, one.digits),
    spent: formatDecimal(one.spent, one.digits),
    withdrawn: formatDecimal(one.withdrawn, one.digits),
    rate: one.rate === null ? null : formatRate(one.rate),
    status: one.status,
    created_at: one.created_at,
    deposited_at: one.deposited_at,
  };
}

/** `f12: 3,000.00 GTQ of alice for Antigua, deposited since …` */
function describe(funding: Funding, timezone: string): string {
  const { id, client, machine, machineName, rate, deposited_at } = funding;
  return [
    `f${id}, ${fiat(funding, funding.amount)} of ${client}`,
    machine === null ? 'for any machine' : `for machine ${machineName ?? machine}`,
    ...(rate === null ? [] : [`at a rate of ${percent(rate)}`]),
    deposited_at === null ? 'on its way' : `in the machine since ${formatTime(deposited_at, timezone)}`,
  ].join(', ');
}

function pastText(funding: Funding, { cashOuts, ownFiat }: Past): string | undefined {
  if (cashOuts === 0) return undefined;
  return (
    `${cashOuts} cash-outs since then were divided before this cash was entered: ${fiat(funding, ownFiat)} of them went to\n` +
    "the operator's own share. They stay as they are; this cash shares in those that are read from now on."
  );
}

function fiat({ digits, currency }: Funding, minor: bigint): string {
  return formatFiat(minor, digits, currency);
}

/** `5.5 %` */
function percent(rate: bigint): string {
  return `${formatDecimal(rate, 3).replace(/\.?0+$/, '')} %`;
}
