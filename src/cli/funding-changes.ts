import type { Command } from 'commander';
import type { PastCashOut, PastChoice } from '../ledger/fundings/late.ts';
import type { Trx } from '../ledger/store/open.ts';
import { now } from '../time.ts';
import { parseId, parseName } from '../typed/names.ts';
import { parseAmount, parseDifference } from '../typed/numbers.ts';
import { parseTime } from '../typed/times.ts';
import { type Cli, makeCli, usage } from './context.ts';
import { describe, fiat, fundingJson, pastJson, pastLines, pastText } from './pages/funding.ts';
import { wrapped } from './print.ts';
import { canAsk, choose } from './prompt.ts';
import { parseCommissionRate } from './rate.ts';
import { inWords } from './words.ts';

interface Late {
  at?: string;
  fromOwn?: boolean;
  /** False with --no-past. */
  past?: boolean;
}

interface AddOptions extends Late {
  machine?: string;
  anyMachine?: boolean;
  rate?: string;
  deposited?: boolean;
  newCurrency?: boolean;
}

export async function add(name: string, text: string, options: AddOptions, command: Command): Promise<void> {
  const cli = makeCli(command);
  const client = parseName(name, 'CLIENT');
  const rate = options.rate === undefined ? null : parseCommissionRate(options.rate, '--rate');
  if (options.at !== undefined && !options.deposited) {
    throw usage(
      '--at: this is when the cash was in the machine, and --deposited was not given.',
      'Add --deposited, or give --at to `aio-dca fundings confirm`.',
    );
  }
  if (options.fromOwn && !options.deposited) {
    throw usage(
      '--from-own: cash on its way has no part in the past, and --deposited was not given.',
      'Add --deposited and --at, or give --from-own to `aio-dca fundings confirm`.',
    );
  }
  refuseWithoutTime(options);
  const { timezone } = await cli.config();
  const since = options.at === undefined ? undefined : parseTime(options.at, timezone, '--at');
  const { addFunding } = await import('../ledger/fundings/fundings.ts');
  const { bestTime, entryTime } = await import('../ledger/runs/clocks.ts');
  const done = await withPast(cli, options, timezone, async (trx, past) => {
    const amount = parseAmount(text, 'amount', await cli.currencies(trx));
    const counts = options.deposited === true && since === undefined;
    const at = await (counts ? entryTime(trx) : bestTime(trx, { stated: since }));
    const depositedAt = options.deposited ? (since ?? at) : null;
    const machine = options.anyMachine ? null : options.machine;
    return addFunding(
      trx,
      { ...cli.who, at },
      { client, amount, machine, rate, depositedAt, newCurrency: options.newCurrency, past },
    );
  });
  const { funding, past } = done;
  const next =
    funding.status === 'in_flight'
      ? `When it is in the machine: aio-dca fundings confirm f${funding.id}`
      : undefined;
  cli.answer(
    { ...fundingJson(funding), past: pastJson(funding, past) },
    lines([`Added ${describe(funding, timezone)}.`, pastText(funding, past), next]),
  );
}

export async function confirm(
  text: string,
  options: Late & { counted?: string },
  command: Command,
): Promise<void> {
  const cli = makeCli(command);
  const id = parseId('f', text, 'ID');
  refuseWithoutTime(options);
  const { timezone } = await cli.config();
  const since = options.at === undefined ? undefined : parseTime(options.at, timezone, '--at');
  const { confirmFunding } = await import('../ledger/fundings/fundings.ts');
  const { bestTime, entryTime } = await import('../ledger/runs/clocks.ts');
  const { findFunding } = await import('../ledger/fundings/view.ts');
  let announced: bigint | undefined;
  const done = await withPast(cli, options, timezone, async (trx, past) => {
    const known = await cli.currencies(trx);
    const counted = options.counted === undefined ? null : parseAmount(options.counted, '--counted', known);
    const at = await (since === undefined ? entryTime(trx) : bestTime(trx, { stated: since }));
    announced = (await findFunding(trx, id)).amount;
    const confirmation = { depositedAt: since ?? at, stated: since !== undefined, counted, past };
    return confirmFunding(trx, { ...cli.who, at }, id, confirmation);
  });
  const { funding, past } = done;
  const differs =
    announced === undefined || announced === funding.amount
      ? undefined
      : `${fiat(funding, announced)} were announced.`;
  cli.answer(
    { ...fundingJson(funding), past: pastJson(funding, past) },
    lines([`Confirmed ${describe(funding, timezone)}.`, differs, pastText(funding, past)]),
  );
}

function refuseWithoutTime({ fromOwn, at }: Late): void {
  if (!fromOwn || at !== undefined) return;
  throw usage(
    '--from-own: without --at the cash is in the machine from now on, so it has no part in the past.',
    'Add --at with the time since when it was there, or leave --from-own out.',
  );
}

type Changed = Awaited<ReturnType<typeof import('../ledger/fundings/late.ts').settlePast>>;

/**
 * Makes a change after which cash may turn out to have been entered late. What then happens to the past is what the
 * options say; else it is asked on the terminal.
 */
async function withPast(
  cli: Cli,
  { fromOwn, past }: Late,
  timezone: string,
  change: (trx: Trx, past: PastChoice | undefined) => Promise<Changed>,
): Promise<Changed> {
  if (fromOwn && past === false) {
    throw usage('--from-own: --no-past is given too.', 'Use one of them.');
  }
  const { PastUndecided, samePast } = await import('../ledger/fundings/late.ts');
  const said = fromOwn ? 'from-own' : past === false ? 'leave' : undefined;
  return cli.withLedger('write', async (ledger) => {
    const make = (choice: PastChoice | undefined, seen?: PastCashOut[]) =>
      ledger.write(async (trx) => {
        const changed = await change(trx, choice);
        if (!seen || samePast(seen, changed.past.cashOuts)) return changed;
        throw usage('--at: meanwhile the past has changed.', 'Look at it again: nothing was written.');
      });
    try {
      return await make(said);
    } catch (error) {
      if (!(error instanceof PastUndecided)) throw error;
      const told = [error.message, ...pastLines(error.funding, error.past, timezone)].join('\n');
      if (!canAsk()) throw usage(told, error.hint === undefined ? undefined : inWords(error.hint));
      process.stderr.write(`${wrapped(told)}\n`);
      const choice = await choose<PastChoice>('What shall happen to these?', [
        { value: 'from-own', label: "It gets its part out of the operator's own share (--from-own)" },
        { value: 'leave', label: 'They stay as they are (--no-past)' },
      ]);
      return make(choice, error.past);
    }
  });
}

export async function cancel(text: string, _options: object, command: Command): Promise<void> {
  const cli = makeCli(command);
  const id = parseId('f', text, 'ID');
  const { cancelFunding } = await import('../ledger/fundings/fundings.ts');
  const funding = await cli.withLedger('write', (ledger) =>
    ledger.write((trx) => cancelFunding(trx, { ...cli.who, at: now() }, id)),
  );
  cli.answer(
    fundingJson(funding),
    `Cancelled f${funding.id}, ${fiat(funding, funding.amount)} of ${funding.client}.`,
  );
}

export async function withdraw(
  id: string,
  text: string | undefined,
  options: { reason: string },
  command: Command,
): Promise<void> {
  const cli = makeCli(command);
  const funding = parseId('f', id, 'ID');
  const reason = reasonOf(options, 'Say in a few words why the cash is taken out.');
  const { withdrawFunding } = await import('../ledger/fundings/fundings.ts');
  const { findFunding } = await import('../ledger/fundings/view.ts');
  const { before, after } = await cli.withLedger('write', (ledger) =>
    ledger.write(async (trx) => {
      const amount = text === undefined ? null : parseAmount(text, 'amount', await cli.currencies(trx));
      const shown = await findFunding(trx, funding);
      return {
        before: shown,
        after: await withdrawFunding(trx, { ...cli.who, at: now(), reason }, funding, amount),
      };
    }),
  );
  const taken = fiat(after, before.remaining - after.remaining);
  cli.answer(
    fundingJson(after),
    `Withdrew ${taken} of f${after.id} of ${after.client}; ${fiat(after, after.remaining)} remain.`,
  );
}

export async function adjust(
  id: string,
  text: string,
  options: { reason: string },
  command: Command,
): Promise<void> {
  const cli = makeCli(command);
  const funding = parseId('f', id, 'ID');
  const reason = reasonOf(options, 'Say in a few words why the amount was wrong.');
  const { adjustFunding } = await import('../ledger/fundings/corrections.ts');
  const after = await cli.withLedger('write', (ledger) =>
    ledger.write(async (trx) => {
      const amount = parseDifference(text, 'amount', await cli.currencies(trx));
      return adjustFunding(trx, { ...cli.who, at: now(), reason }, funding, amount);
    }),
  );
  cli.answer(
    fundingJson(after),
    `f${after.id} of ${after.client} is ${fiat(after, after.amount)} now; ${fiat(after, after.remaining)} remain.`,
  );
}

export async function move(
  text: string,
  options: { machine?: string; anyMachine?: boolean },
  command: Command,
): Promise<void> {
  const cli = makeCli(command);
  const id = parseId('f', text, 'ID');
  const machine = options.anyMachine ? null : options.machine;
  if (machine === undefined) {
    throw usage('--machine: it was not said where the cash is.', 'Say --machine M, or --any-machine.');
  }
  const { timezone } = await cli.config();
  const { moveFunding } = await import('../ledger/fundings/corrections.ts');
  const funding = await cli.withLedger('write', (ledger) =>
    ledger.write((trx) => moveFunding(trx, { ...cli.who, at: now() }, id, machine)),
  );
  cli.answer(fundingJson(funding), lines([`Moved ${describe(funding, timezone)}.`]));
}

function reasonOf({ reason }: { reason: string }, hint: string): string {
  const text = reason.trim();
  if (text === '') throw usage('--reason: it is empty.', hint);
  return text;
}

function lines(texts: (string | undefined)[]): string {
  return wrapped(texts.filter((text) => text !== undefined).join('\n'));
}
