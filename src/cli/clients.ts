import { type Command, Option } from 'commander';
import type { Client } from '../ledger/clients/clients.ts';
import type { ClientView } from '../ledger/clients/view.ts';
import type { Ledger, Trx } from '../ledger/store/open.ts';
import type { Mode } from '../ledger/store/schema.ts';
import { type Instant, now } from '../time.ts';
import { parseName } from '../typed/names.ts';
import { makeCli, usage } from './context.ts';
import { movedJson, movedText } from './new-wallet.ts';
import { clientJson, clientPage, limitChanges, statusOf } from './pages/client.ts';
import { formatFiat, formatSats, table } from './print.ts';
import { withReason } from './reason.ts';

export function register(program: Command): void {
  const clients = program.command('clients').description('who gives cash and receives sats');
  settings(
    clients
      .command('add')
      .description('add a client, paid into the LNbits wallet of an invoice key, which is tested')
      .argument('<name>', '1 to 64 letters, digits, "-", "_" or "."')
      .requiredOption('--wallet-key-file <file>', 'holds the invoice key of the wallet; it is read once'),
  )
    .addHelpText(
      'after',
      '\nExamples:\n  aio-dca clients add alice --wallet-key-file alice.key\n' +
        '  aio-dca clients add bob --wallet-key-file bob.key --mode fixed --daily-limit "500 GTQ"',
    )
    .action(add);
  settings(
    clients
      .command('set')
      .description('change a client from now on')
      .argument('<name>')
      .option('--wallet-key-file <file>', 'a new invoice key of the same wallet')
      .option('--new-wallet', 'the key is of another wallet: whatever was not sent yet goes there'),
  )
    .addHelpText(
      'after',
      '\nExamples:\n  aio-dca clients set bob --mode flow\n  aio-dca clients set bob --daily-limit "800 GTQ"\n' +
        '  aio-dca clients set bob --wallet-key-file other.key --new-wallet',
    )
    .action(set);
  clients
    .command('list')
    .description('all clients')
    .addHelpText('after', '\nExample:\n  aio-dca clients list')
    .action(list);
  named(clients, 'show', 'one client: settings, cash, and what it bought').action(show);
  withReason(named(clients, 'pause', 'takes no new share from now on; what is his is still paid')).action(
    (name: string, _options: object, command: Command) => pause(name, true, command),
  );
  withReason(named(clients, 'resume', 'shares again from now on')).action(
    (name: string, _options: object, command: Command) => pause(name, false, command),
  );
  withReason(named(clients, 'close', 'for good, once no cash remains and all sats are paid')).action(close);
}

function named(clients: Command, verb: string, description: string): Command {
  return clients
    .command(verb)
    .description(description)
    .argument('<name>')
    .addHelpText('after', `\nExample:\n  aio-dca clients ${verb} alice`);
}

function settings(command: Command): Command {
  const collect = (value: string, before: string[] = []) => [...before, value];
  return withReason(command)
    .addOption(
      new Option(
        '--mode <mode>',
        'flow: paid as cash goes out (default); fixed: up to a daily limit, paid at fixed times',
      ).choices(['flow', 'fixed']),
    )
    .option(
      '--daily-limit <amount>',
      'of a fixed client, like "500 GTQ"; once per currency; "none GTQ" takes it away',
      collect,
    )
    .option(
      '--max-daily-limit <amount>',
      'the most that the daily limit may be; "none GTQ" takes it away',
      collect,
    );
}

interface Settings {
  walletKeyFile?: string;
  newWallet?: boolean;
  mode?: Mode;
  dailyLimit?: string[];
  maxDailyLimit?: string[];
}

async function add(
  text: string,
  options: Settings & { walletKeyFile: string },
  command: Command,
): Promise<void> {
  const cli = makeCli(command);
  const name = parseName(text, 'NAME');
  const { testedWalletKey } = await import('./wallet-key.ts');
  const { addClient } = await import('../ledger/clients/changes.ts');
  const { refuseTakenName } = await import('../ledger/clients/names.ts');
  const config = await cli.config();
  const view = await cli.withLedger('write', async (ledger) => {
    const limits = limitChanges(options, await cli.currencies(ledger.db));
    // Testing the key leaves an invoice in the wallet: not for a name that cannot be.
    await refuseTakenName(ledger.db, name);
    const wallet = await testedWalletKey(options.walletKeyFile, config);
    return changed(ledger, null, (trx, at) =>
      addClient(trx, { ...cli.who, at }, { name, wallet, mode: options.mode ?? 'flow', limits }),
    );
  });
  cli.answer(
    clientJson(view),
    `Added client ${name}, in ${view.client.mode} mode, paid into wallet ${view.client.walletId}.\n` +
      `Next: aio-dca fundings add ${name} "3000 GTQ" --deposited`,
  );
}

async function set(text: string, options: Settings, command: Command): Promise<void> {
  const cli = makeCli(command);
  const name = parseName(text, 'NAME');
  const { mode, walletKeyFile: file, newWallet = false } = options;
  if (newWallet && file === undefined) {
    throw usage(
      '--new-wallet: no wallet was named.',
      'Add --wallet-key-file with the key of the new wallet.',
    );
  }
  if (mode === undefined && !(options.dailyLimit ?? options.maxDailyLimit) && file === undefined) {
    throw usage(
      'clients set: nothing to change was named.',
      '`aio-dca clients set --help` shows what can be changed.',
    );
  }
  const { testedWalletKey } = await import('./wallet-key.ts');
  const { setClient } = await import('../ledger/clients/changes.ts');
  const { openClient } = await import('../ledger/clients/clients.ts');
  const config = await cli.config();
  const { openPayoutsOf } = await import('../ledger/payouts/open.ts');
  const { view, moved } = await cli.withLedger('write', async (ledger) => {
    const limits = limitChanges(options, await cli.currencies(ledger.db));
    const before = await openClient(ledger.db, name, now());
    const wallet = file === undefined ? undefined : await testedWalletKey(file, config);
    const change = { ...(mode && { mode }), ...(wallet && { wallet }), limits, newWallet };
    // Another wallet is no matter of time: that of a stolen one is changed whatever the clock shows.
    const counts = mode !== undefined || limits.length > 0;
    const view = await changed(ledger, counts ? name : null, (trx, at) =>
      setClient(trx, { ...cli.who, at }, name, change),
    );
    const { id, walletId } = view.client;
    return { view, moved: walletId === before.walletId ? null : await openPayoutsOf(ledger.db, id) };
  });
  cli.answer(
    { ...clientJson(view), ...(moved && { open_payouts: movedJson(moved) }) },
    [
      `Changed client ${name}, from now on.`,
      ...(moved ? [movedText(moved)] : []),
      clientPage(view, config.timezone),
    ].join('\n'),
  );
}

async function pause(text: string, paused: boolean, command: Command): Promise<void> {
  const cli = makeCli(command);
  const name = parseName(text, 'NAME');
  const { pauseClient } = await import('../ledger/clients/changes.ts');
  const view = await cli.withLedger('write', (ledger) =>
    changed(ledger, name, (trx, at) => pauseClient(trx, { ...cli.who, at }, name, paused)),
  );
  cli.answer(
    clientJson(view),
    paused
      ? `Client ${name} is paused: no new share from now on; what is already his is still paid.`
      : `Client ${name} is active: it shares in cash-outs from now on.`,
  );
}

async function close(text: string, _options: object, command: Command): Promise<void> {
  const cli = makeCli(command);
  const name = parseName(text, 'NAME');
  const { closeClient } = await import('../ledger/clients/close.ts');
  const { viewsOf } = await import('../ledger/clients/view.ts');
  const view = await cli.withLedger('write', async (ledger) => {
    const closed = await ledger.write((trx) => closeClient(trx, { ...cli.who, at: now() }, name));
    return only(viewsOf(ledger.db, [closed]));
  });
  cli.answer(clientJson(view), `Client ${name} is closed.`);
}

async function list(_options: object, command: Command): Promise<void> {
  const cli = makeCli(command);
  const { clientsAt } = await import('../ledger/clients/clients.ts');
  const { viewsOf } = await import('../ledger/clients/view.ts');
  const views = await cli.withLedger('read', async ({ db }) => viewsOf(db, await clientsAt(db, now())));
  const rows = views.flatMap(({ client, currencies }) => {
    const who = [client.name, client.mode, statusOf(client)];
    if (currencies.length === 0) return [who];
    return currencies.map((one) => [
      ...who,
      formatFiat(one.remaining, one.digits, one.currency),
      formatFiat(one.metrics.fiatSpent, one.digits, one.currency),
      formatSats(one.metrics.satsStacked),
      formatSats(one.waitingSats),
    ]);
  });
  cli.answer(
    views.map((view) => {
      const { balances: _, ...json } = clientJson(view);
      return json;
    }),
    rows.length === 0
      ? 'No clients yet. `aio-dca clients add NAME --wallet-key-file FILE` adds one.'
      : table(['client', 'mode', 'status', 'remaining', 'spent', 'received', 'waiting'], rows),
  );
}

async function show(text: string, _options: object, command: Command): Promise<void> {
  const cli = makeCli(command);
  const name = parseName(text, 'NAME');
  const { timezone } = await cli.config();
  const { findClient } = await import('../ledger/clients/clients.ts');
  const { viewsOf } = await import('../ledger/clients/view.ts');
  const view = await cli.withLedger('read', async ({ db }) =>
    only(viewsOf(db, [await findClient(db, name, now())])),
  );
  cli.answer(clientJson(view), clientPage(view, timezone));
}

/** Makes one change in one transaction, and shows the client as it is afterwards. */
async function changed(
  { db, write }: Ledger,
  /** Whose settings change from now on; null where none do. */
  name: string | null,
  change: (trx: Trx, at: Instant) => Promise<Client>,
): Promise<ClientView> {
  const { viewsOf } = await import('../ledger/clients/view.ts');
  const { bestTime } = await import('../ledger/runs/clocks.ts');
  const { entryTimeOf } = await import('../ledger/runs/clock-doubts.ts');
  const client = await write(async (trx) =>
    change(trx, await (name === null ? bestTime(trx) : entryTimeOf(trx, `client ${name}`))),
  );
  return only(viewsOf(db, [client]));
}

async function only(views: Promise<ClientView[]>): Promise<ClientView> {
  const [view] = await views;
  if (!view) throw new Error('a client without a view');
  return view;
}
