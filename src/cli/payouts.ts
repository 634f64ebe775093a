import { type Command, Option } from 'commander';
import type { Who } from '../ledger/log/log.ts';
import { withLease } from '../ledger/runs/lease.ts';
import type { Ledger, Trx } from '../ledger/store/open.ts';
import type { PayoutState } from '../ledger/store/schema.ts';
import { type Instant, now } from '../time.ts';
import { parseId, parseName } from '../typed/names.ts';
import { type Cli, makeCli, usage } from './context.ts';
import { exitCodeOf } from './exit-codes.ts';
import { parseLimit, tellMore, withLimit } from './limit.ts';
import { registerOverpaid } from './overpaid.ts';
import { payoutDetailJson, payoutJson, payoutPage, payoutTable } from './pages/payout.ts';
import { counted, formatSats, table, withLocalTimes } from './print.ts';
import { withReason } from './reason.ts';
import { errorInWords } from './words.ts';

const STATES: PayoutState[] = ['planned', 'paying', 'deferred', 'unknown', 'held', 'settled'];

export function register(program: Command): void {
  const payouts = program.command('payouts').description('each obligation and its payments');
  withLimit(payouts.command('list').description('the newest payouts'))
    .addOption(new Option('--state <state>', 'only those in this state').choices(STATES))
    .option('--open', 'only those that are not settled')
    .option('--client <name>', 'only those of this client or commission recipient')
    .addHelpText(
      'after',
      '\nExamples:\n  aio-dca payouts list --state held\n  aio-dca payouts list --client alice',
    )
    .action(list);
  one(payouts, 'show', 'one payout, what it pays, and its payments').action(show);
  payouts
    .command('hold')
    .description('pay nothing of it until it is released')
    .argument('[id]', 'of the payout, like p118')
    .option(
      '--all',
      'every payout that is open, and what is due now; what becomes due later is stopped by `payouts pause`',
    )
    .option('--reason <text>', 'why, for the log', 'held by hand')
    .addHelpText(
      'after',
      '\nExamples:\n  aio-dca payouts hold p118 --reason "alice asked to wait"\n' +
        '  aio-dca payouts hold --all --reason "the sums look odd"',
    )
    .action(hold);
  withReason(payouts.command('release'))
    .description('let a held one go on: the next run looks at what was sent of it')
    .argument('[id]', 'of the payout, like p118')
    .option('--all', 'every payout that is held, for whatever reason')
    .addHelpText('after', '\nExamples:\n  aio-dca payouts release p118\n  aio-dca payouts release --all')
    .action(release);
  withReason(one(payouts, 'retry', 'try one again that was put off')).action(retry);
  one(payouts, 'resolve', 'say what became of a payment', ' --not-paid --reason "not in her wallet"')
    .option('--payment <hash>', 'which payment, where several are open')
    .option('--paid', 'it arrived: it is settled')
    .option('--not-paid', 'it did not, and never will: a new payment follows')
    .requiredOption('--reason <text>', 'how you know, for the log')
    .action(resolve);
  registerOverpaid(payouts);
  payouts
    .command('pause')
    .description('the brake: recording goes on, paying stops')
    .requiredOption('--reason <text>', 'why, for the log')
    .addHelpText('after', '\nExample:\n  aio-dca payouts pause --reason "LNbits is being moved"')
    .action(pause);
  withReason(payouts.command('resume'))
    .description('pay again')
    .addHelpText('after', '\nExample:\n  aio-dca payouts resume')
    .action(resume);
}

function one(payouts: Command, verb: string, description: string, example = ''): Command {
  return payouts
    .command(verb)
    .description(description)
    .argument('<id>', 'of the payout, like p118')
    .addHelpText('after', `\nExample:\n  aio-dca payouts ${verb} p118${example}`);
}

async function list(
  options: { state?: PayoutState; open?: boolean; client?: string; limit?: string },
  command: Command,
): Promise<void> {
  const cli = makeCli(command);
  const limit = parseLimit(options.limit);
  const { state, open, client } = options;
  if (state && open) throw usage('--open: --state is given too.', 'Use one of them.');
  const states = state ? [state] : open ? STATES.filter((some) => some !== 'settled') : undefined;
  const recipient = client === undefined ? undefined : parseName(client, '--client');
  const { listPayouts } = await import('../ledger/views.ts');
  const { timezone } = await cli.config();
  const { refuseUnknownName } = await import('../ledger/clients/names.ts');
  const page = await cli.withLedger('read', async ({ db }) => {
    if (recipient !== undefined) await refuseUnknownName(db, recipient, '--client');
    return listPayouts(db, { states, recipient }, limit);
  });
  cli.answer(page.rows.map(payoutJson), payoutTable(page.rows, timezone));
  tellMore(page);
}

async function show(text: string, _options: object, command: Command): Promise<void> {
  const cli = makeCli(command);
  const id = parseId('p', text, 'ID');
  const { showPayout } = await import('../ledger/views.ts');
  const { timezone } = await cli.config();
  const found = await cli.withLedger('read', ({ db }) => showPayout(db, id));
  cli.answer(payoutDetailJson(found), payoutPage(found, timezone));
}

async function hold(
  text: string | undefined,
  options: { reason: string; all?: boolean },
  command: Command,
): Promise<void> {
  const reason = reasonOf(options);
  if (options.all) {
    if (text !== undefined) throw usage('--all: a payout is named too.', 'Use one of them.');
    await holdAll(reason, command);
    return;
  }
  if (text === undefined) throw usage('ID: no payout was named.', 'Name one, like p118, or say --all.');
  await decide(command, 'hold', text, async ({ trx, who, id, at }) => {
    const { holdByHand } = await import('../ledger/payouts/operator-actions.ts');
    return holdByHand(trx, who, id, reason, at);
  });
}

async function holdAll(reason: string, command: Command): Promise<void> {
  const cli = makeCli(command);
  const config = await cli.config();
  const { holdAllByHand } = await import('../ledger/payouts/operator-actions.ts');
  const { dueGroups, formPayouts } = await import('../ledger/payouts/form.ts');
  const { formOptions, lookBeforeRecording } = await import('../scheduler/pay.ts');
  await cli.withLedger('write', async (ledger) => {
    const { held, due, problem } = await withLease(
      ledger,
      { kind: 'payouts hold', actor: cli.actor },
      async (run) => {
        // By an older copy of the ledger nothing is formed: `ledger recover` forms what was paid since.
        const { signal } = new AbortController();
        const problem = await lookBeforeRecording({ ledger, config, run, signal, problems: [] });
        const options = formOptions(config, run.id);
        return run.write(async (trx) => {
          // While paying is paused, what is due is in no payout that could be held.
          if (problem === null) await formPayouts(trx, options);
          const held = await holdAllByHand(trx, run.who, reason, now());
          return { held, due: await dueGroups(trx, options), problem };
        });
      },
    );
    const ids = held.map((id) => `p${id}`);
    const sats = due.reduce((sum, one) => sum + one.sats, 0n);
    const lines = [
      ids.length === 0
        ? 'No payout is open.'
        : `Held ${ids.join(', ')}. Each goes on with \`aio-dca payouts release ID\`, all with \`release --all\`.`,
      due.length === 0
        ? null
        : `Not held: ${formatSats(sats)} that are due and in no payout yet. None is formed before LNbits shows that this ledger is not an older copy (${problem && errorInWords(problem).message}). \`aio-dca payouts pause\` stops them.`,
    ];
    const nothing = ids.length === 0 && due.length === 0 ? 'No payout is open, and nothing is due.' : null;
    cli.answer(
      { held: ids, ...(due.length > 0 && { due_sats: sats }) },
      nothing ?? lines.filter((line) => line !== null).join('\n'),
    );
    if (problem && due.length > 0) process.exitCode = exitCodeOf(problem);
  });
}

async function release(
  text: string | undefined,
  { all = false }: { all?: boolean },
  command: Command,
): Promise<void> {
  if (all) {
    if (text !== undefined) throw usage('--all: a payout is named too.', 'Use one of them.');
    await releaseAll(command);
    return;
  }
  if (text === undefined) throw usage('ID: no payout was named.', 'Name one, like p118, or say --all.');
  await decide(command, 'release', text, async ({ trx, who, id, at }) => {
    const { releasePayout } = await import('../ledger/payouts/operator-actions.ts');
    return releasePayout(trx, who, id, at);
  });
}

async function releaseAll(command: Command): Promise<void> {
  const cli = makeCli(command);
  const { heldPayouts, releaseEach } = await import('../ledger/payouts/operator-actions.ts');
  await cli.withLedger('write', async (ledger) => {
    const held = await heldPayouts(ledger.db);
    if (held.length === 0) {
      cli.answer({ released: [] }, 'No payout is held.');
      return;
    }
    const rows = held.map((one) => [`p${one.id}`, one.recipient, formatSats(one.sats), one.reason]);
    if (!cli.globals.yes)
      process.stderr.write(`${table(['payout', 'recipient', 'amount', 'held because'], rows)}\n`);
    await cli.confirm(`Release ${counted(held.length, 'payout')}?`);
    // Only those that were shown: what is held meanwhile was not agreed to.
    const ids = await withLease(ledger, { kind: 'payouts release', actor: cli.actor }, (run) =>
      run.write((trx) => releaseEach(trx, { ...cli.who, ...run.who }, held, now())),
    );
    const released = ids.map((id) => `p${id}`);
    cli.answer({ released }, `Released ${released.join(', ')}. The next run goes on with them: aio-dca poll`);
  });
}

async function retry(text: string, _options: object, command: Command): Promise<void> {
  await decide(command, 'retry', text, async ({ trx, who, id, at }) => {
    const { retryPayout } = await import('../ledger/payouts/operator-actions.ts');
    return retryPayout(trx, who, id, at);
  });
}

async function resolve(
  text: string,
  options: { payment?: string; paid?: boolean; notPaid?: boolean; reason: string },
  command: Command,
): Promise<void> {
  const cli = makeCli(command);
  const id = parseId('p', text, 'ID');
  const reason = reasonOf(options);
  if ((options.paid ?? false) === (options.notPaid ?? false)) {
    const what = options.paid ? 'only one of them can be true.' : 'one of them must be given.';
    throw usage(`--paid, --not-paid: ${what}`, 'Say what became of the payment.');
  }
  const config = await cli.config();
  const { resolveByHand } = await import('./resolve.ts');
  await cli.withLedger('write', async (ledger) => {
    const state = await resolveByHand({
      ...{ cli, config, ledger, id, reason },
      hash: options.payment?.toLowerCase(),
      paid: options.paid ?? false,
    });
    await answer(cli, ledger, id, state);
  });
}

async function pause(options: { reason: string }, command: Command): Promise<void> {
  const cli = makeCli(command);
  const reason = reasonOf(options);
  const { timezone } = await cli.config();
  const { pausePaying } = await import('../ledger/payouts/operator-actions.ts');
  await cli.withLedger('write', async (ledger) => {
    const done = await ledger.write((trx) => pausePaying(trx, cli.who, reason, now()));
    const { paused_at, paused_by, paused_reason } = await ledger.db
      .selectFrom('ledger')
      .select(['paused_at', 'paused_by', 'paused_reason'])
      .executeTakeFirstOrThrow();
    cli.answer(
      { paused: true, pause: { at: paused_at, by: paused_by, reason: paused_reason } },
      done
        ? 'Paying is paused: recording goes on, nothing is sent until `aio-dca payouts resume`.'
        : withLocalTimes(
            `Paying was paused already, by ${paused_by} since ${paused_at}: ${paused_reason}`,
            timezone,
          ),
    );
  });
}

async function resume(_options: object, command: Command): Promise<void> {
  const cli = makeCli(command);
  const { resumePaying } = await import('../ledger/payouts/operator-actions.ts');
  const done = await cli.withLedger('write', (ledger) =>
    ledger.write((trx) => resumePaying(trx, cli.who, now())),
  );
  cli.answer(
    { paused: false, pause: null },
    done ? 'Paying goes on with the next run: aio-dca poll' : 'Paying was not paused.',
  );
}

function reasonOf({ reason }: { reason: string }): string {
  const text = reason.trim();
  if (text === '') throw usage('--reason: it is empty.', 'Say why: it is kept in the log.');
  return text;
}

interface Decision {
  trx: Trx;
  who: Who;
  id: bigint;
  at: Instant;
}

/** One decision about one payout, while no run can touch it. */
async function decide(
  command: Command,
  verb: string,
  text: string,
  work: (decision: Decision) => Promise<PayoutState>,
): Promise<void> {
  const cli = makeCli(command);
  const id = parseId('p', text, 'ID');
  await cli.withLedger('write', async (ledger) => {
    const state = await withLease(ledger, { kind: `payouts ${verb}`, actor: cli.actor }, (run) =>
      run.write((trx) => work({ trx, who: { ...cli.who, ...run.who }, id, at: now() })),
    );
    await answer(cli, ledger, id, state);
  });
}

/** What happens next to a payout, by its state. */
const next: Record<PayoutState, string> = {
  planned: 'The next run pays it: aio-dca poll',
  paying: 'The next run goes on with it: aio-dca poll',
  deferred: 'The next run tries again: aio-dca poll',
  unknown: 'The next run looks what became of its payment: aio-dca poll',
  held: 'Nothing of it is paid until it is released.',
  settled: 'Nothing more of it is paid.',
};

async function answer(cli: Cli, ledger: Ledger, id: bigint, state: PayoutState): Promise<void> {
  const { showPayout } = await import('../ledger/views.ts');
  const found = await showPayout(ledger.db, id);
  cli.answer(payoutDetailJson(found), `Payout p${id} is ${found.payout.state}. ${next[state]}`);
}
