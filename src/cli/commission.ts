import type { Command } from 'commander';
import { formatDecimal } from '../dca/money.ts';
import { roundHalfUp } from '../dca/split.ts';
import type { CommissionRecipient, Weight } from '../ledger/commission/commission.ts';
import type { Db, Trx } from '../ledger/store/open.ts';
import { type Instant, now } from '../time.ts';
import { parseName } from '../typed/names.ts';
import { parseWhole } from '../typed/numbers.ts';
import { parseTime } from '../typed/times.ts';
import { makeCli, usage } from './context.ts';
import { movedJson, movedText } from './new-wallet.ts';
import { type Cell, clean, formatSats, table } from './print.ts';
import { withReason } from './reason.ts';

const WEIGHT = '--weight <n>';
const MACHINE = '--machine <machine>';
const KEY_FILE = '--wallet-key-file <file>';

export function register(program: Command): void {
  const commission = program
    .command('commission')
    .description('who receives the commission; without anybody it stays in the source wallet');
  commission
    .command('list')
    .description('all recipients, their weights, and what they received')
    .addHelpText('after', '\nExample:\n  aio-dca commission list')
    .action(list);
  withReason(commission.command('add'))
    .description('add a recipient, paid into the LNbits wallet of an invoice key, which is tested')
    .argument('<name>', '1 to 64 letters, digits, "-", "_" or "."')
    .requiredOption(KEY_FILE, 'holds the invoice key of the wallet; it is read once')
    .requiredOption(WEIGHT, 'a whole number; the commission is divided in proportion to them')
    .option(MACHINE, 'only of this machine, instead of the recipients of all machines')
    .option(
      '--from <time>',
      'it receives of cash-outs confirmed since then, as far as they are not distributed yet (default: now)',
    )
    .addHelpText(
      'after',
      '\nExamples:\n  aio-dca commission add owner --wallet-key-file owner.key --weight 70\n' +
        '  aio-dca commission add shop --wallet-key-file shop.key --weight 1 --machine Antigua',
    )
    .action(add);
  withReason(commission.command('set'))
    .description('change a recipient from now on; cash-outs from before keep their division')
    .argument('<name>')
    .option(WEIGHT, 'a whole number; takes a removed recipient back')
    .option(MACHINE, 'the weight at this machine; default: at all that have no recipients of their own')
    .option(KEY_FILE, 'a new invoice key of the same wallet')
    .option('--new-wallet', 'the key is of another wallet: whatever was not sent yet goes there')
    .addHelpText(
      'after',
      '\nExamples:\n  aio-dca commission set owner --weight 60\n' +
        '  aio-dca commission set owner --weight 1 --machine Antigua',
    )
    .action(set);
  withReason(commission.command('remove'))
    .description('no new share from now on; sats that wait are still paid')
    .argument('<name>')
    .option(MACHINE, 'only at this machine; default: everywhere')
    .addHelpText(
      'after',
      '\nExamples:\n  aio-dca commission remove shop\n' +
        '  aio-dca commission remove owner --machine Antigua --reason "sold the shop"',
    )
    .action(remove);
}

interface Options {
  weight?: string;
  machine?: string;
  walletKeyFile?: string;
  newWallet?: boolean;
  from?: string;
}

async function add(
  text: string,
  options: Options & { weight: string; walletKeyFile: string },
  command: Command,
): Promise<void> {
  const cli = makeCli(command);
  const name = parseName(text, 'NAME');
  const weight = parseWeight(options.weight, name);
  const config = await cli.config();
  const from = options.from === undefined ? undefined : parseTime(options.from, config.timezone, '--from');
  const { testedWalletKey } = await import('./wallet-key.ts');
  const { addCommission } = await import('../ledger/commission/commission.ts');
  const { refuseTakenName } = await import('../ledger/clients/names.ts');
  const { done, all } = await cli.withLedger('write', async (ledger) => {
    await refuseTakenName(ledger.db, name);
    const machine = await machineOf(ledger.db, options.machine);
    const wallet = await testedWalletKey(options.walletKeyFile, config);
    return change(ledger, from ? null : name, (trx, at) =>
      addCommission(trx, cli.who, { name, wallet, weight, machine, ...(from && { from }) }, at),
    );
  });
  cli.answer(
    json(done),
    [
      `Added commission recipient ${name}, paid into wallet ${done.walletId}.`,
      divisions(all),
      ...(from === undefined
        ? [
            'Of what was confirmed before, it receives nothing, also where that is not read yet: --from counts it in.',
          ]
        : []),
    ].join('\n'),
  );
}

async function set(text: string, options: Options, command: Command): Promise<void> {
  const cli = makeCli(command);
  const name = parseName(text, 'NAME');
  const { walletKeyFile: file, newWallet = false } = options;
  const weight = options.weight === undefined ? undefined : parseWeight(options.weight, name);
  if (newWallet && file === undefined) {
    throw usage(
      '--new-wallet: no wallet was named.',
      'Add --wallet-key-file with the key of the new wallet.',
    );
  }
  if (options.machine !== undefined && weight === undefined) {
    throw usage('--machine: no weight was given.', 'Add --weight N, its weight at that machine.');
  }
  if (weight === undefined && file === undefined) {
    throw usage(
      'commission set: nothing to change was named.',
      '`aio-dca commission set --help` shows what can be changed.',
    );
  }
  const config = await cli.config();
  const { testedWalletKey } = await import('./wallet-key.ts');
  const { findCommission, setCommission } = await import('../ledger/commission/commission.ts');
  const { openPayoutsOf } = await import('../ledger/payouts/open.ts');
  const { done, all, moved } = await cli.withLedger('write', async (ledger) => {
    const before = await findCommission(ledger.db, name, now());
    const machine = await machineOf(ledger.db, options.machine);
    const wallet = file === undefined ? undefined : await testedWalletKey(file, config);
    const wanted = { machine, newWallet, ...(weight !== undefined && { weight }), ...(wallet && { wallet }) };
    const after = await change(ledger, weight === undefined ? null : name, (trx, at) =>
      setCommission(trx, cli.who, name, wanted, at),
    );
    const { id, walletId } = after.done;
    return { ...after, moved: walletId === before.walletId ? null : await openPayoutsOf(ledger.db, id) };
  });
  cli.answer(
    { ...json(done), ...(moved && { open_payouts: movedJson(moved) }) },
    [
      `Changed commission recipient ${name}, paid into wallet ${done.walletId}.`,
      ...(moved ? [movedText(moved)] : []),
      divisions(all),
    ].join('\n'),
  );
}

async function remove(text: string, options: Options, command: Command): Promise<void> {
  const cli = makeCli(command);
  const name = parseName(text, 'NAME');
  const { removeCommission } = await import('../ledger/commission/commission.ts');
  const { done, all } = await cli.withLedger('write', async (ledger) => {
    const machine = await machineOf(ledger.db, options.machine);
    return change(ledger, name, (trx, at) => removeCommission(trx, cli.who, name, machine, at));
  });
  const waits = done.waiting > 0n ? ` ${formatSats(done.waiting)} that wait are still paid.` : '';
  const where = done.removed ? '' : ` at ${options.machine}`;
  cli.answer(json(done), `Removed commission recipient ${name}${where}.${waits}\n${divisions(all)}`);
}

async function list(_options: object, command: Command): Promise<void> {
  const cli = makeCli(command);
  const { commissionRecipients } = await import('../ledger/commission/commission.ts');
  const all = await cli.withLedger('read', ({ db }) => commissionRecipients(db, now()));
  const rows = all.flatMap((one): Cell[][] => {
    const sats = [formatSats(one.waiting), formatSats(one.received)];
    if (one.weights.length === 0) return [[one.name, '(removed)', null, null, ...sats]];
    // What it received is not kept by machine: it stands once.
    return one.weights.map((weight, index) => [
      ...[one.name, machineOfWeight(weight), weight.weight, share(weight)],
      ...(index === 0 ? sats : []),
    ]);
  });
  cli.answer(
    all.map(json),
    rows.length === 0
      ? 'No recipients: the commission stays in the source wallet.\n' +
          '`aio-dca commission add NAME --wallet-key-file FILE --weight N` adds one.'
      : table(['recipient', 'machine', 'weight', 'share', 'waiting', 'received'], rows),
  );
}

/** Makes one change in one transaction; answers the recipient and everybody as they are afterwards. */
async function change(
  { write }: { write<T>(work: (trx: Trx) => Promise<T>): Promise<T> },
  /** Whose weight changes from now on; null where none does. */
  name: string | null,
  work: (trx: Trx, at: Instant) => Promise<CommissionRecipient>,
): Promise<{ done: CommissionRecipient; all: CommissionRecipient[] }> {
  const { commissionRecipients } = await import('../ledger/commission/commission.ts');
  const { bestTime } = await import('../ledger/runs/clocks.ts');
  const { entryTimeOf } = await import('../ledger/runs/clock-doubts.ts');
  return write(async (trx) => {
    const at = await (name === null ? bestTime(trx) : entryTimeOf(trx, `commission ${name}`));
    const done = await work(trx, at);
    return { done, all: await commissionRecipients(trx, at) };
  });
}

async function machineOf(db: Db, named: string | undefined): Promise<string | null> {
  if (named === undefined) return null;
  const { findMachine } = await import('../ledger/machines/machines.ts');
  return (await findMachine(db, named, '--machine')).device_id;
}

function parseWeight(text: string, name: string): bigint {
  const trimmed = text.trim();
  if (/^0+$/.test(trimmed)) {
    throw usage('--weight: 0 would receive nothing.', `To take it out: aio-dca commission remove ${name}`);
  }
  const example = 'Weights are whole numbers and proportions: 70 and 30 divide like 7 and 3.';
  return parseWhole(trimmed, '--weight', 999_999_999n, example);
}

function json(one: CommissionRecipient) {
  return {
    name: one.name,
    status: one.removed ? 'removed' : 'active',
    wallet_id: one.walletId,
    created_at: one.createdAt,
    weights: one.weights.map((weight) => ({
      machine: weight.machine,
      weight: weight.weight,
      share: share(weight),
    })),
    waiting_sats: one.waiting,
    received_sats: one.received,
  };
}

/** Who receives the commission of what from now on, one line per machine that has recipients of its own. */
function divisions(all: CommissionRecipient[]): string {
  const parts = all.flatMap(({ name, weights }) => weights.map((weight) => ({ name, weight })));
  const places = Map.groupBy(parts, ({ weight }) => weight.machine ?? '');
  const others = places.size > (places.has('') ? 1 : 0) ? 'all other machines' : 'all machines';
  const lines = [...places]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([machine, there]) => {
      const where = machine === '' ? others : there.map(({ weight }) => machineOfWeight(weight))[0];
      return `  ${where}: ${there.map(({ name, weight }) => `${name} ${share(weight)}`).join(', ')}`;
    });
  const none = places.has('') ? [] : [`  ${others}: stays in the source wallet`];
  return ['Commission of cash-outs that are confirmed from now on:', ...lines, ...none].join('\n');
}

function machineOfWeight({ machine, machineName }: Weight): string {
  return machine === null ? 'all machines' : clean(machineName ?? machine);
}

/** `66.67 %`, rounded to two decimals. */
function share({ weight, of }: Weight): string {
  return `${formatDecimal(roundHalfUp(weight * 10_000n, of), 2)} %`;
}
