import { type Command, Option } from 'commander';
import { answer, inputOf, local } from './call.ts';
import { withKey } from './key-file.ts';
import { reasonOption } from './options.ts';
import {
  addedClientPage,
  changedClientPage,
  clientPage,
  clientsPage,
  closedPage,
  pausedClientPage,
  resumedClientPage,
} from './pages/client.ts';

export function register(program: Command): void {
  const clients = program.command('clients').description('clients: they give cash and receive sats');
  settings(
    clients
      .command('add')
      .description('add a client with the invoice key of its LNbits wallet, which is tested')
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
      .option(
        '--new-wallet',
        'the key belongs to another wallet, which gets everything that was not sent yet',
      ),
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
  reasonOption(
    named(clients, 'pause', 'pause a client: no new shares from now on; what the client has is still paid'),
  ).action(pause);
  reasonOption(named(clients, 'resume', 'resume a paused client: it shares in cash-outs from now on')).action(
    resume,
  );
  reasonOption(
    named(clients, 'close', 'close a client for good, once no cash remains and all sats are paid'),
  ).action(close);
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
  return reasonOption(command)
    .addOption(
      new Option(
        '--mode <mode>',
        'flow: paid as cash goes out (default); fixed: up to a daily limit, paid at fixed times',
      ).choices(['flow', 'fixed']),
    )
    .option(
      '--daily-limit <amount>',
      'for fixed mode, like "500 GTQ"; once per currency; "none GTQ" removes it',
      collect,
    )
    .option(
      '--max-daily-limit <amount>',
      'the highest daily limit that the client may set; "none GTQ" removes it',
      collect,
    );
}

interface Options {
  walletKeyFile?: string;
}

async function add(name: string, options: Options, command: Command): Promise<void> {
  const { addNewClient } = await import('../operations/clients.ts');
  await answer(command, addNewClient, { name, ...inputOf(withKey(options)) }, addedClientPage);
}

async function set(name: string, options: Options, command: Command): Promise<void> {
  const { setClientSettings } = await import('../operations/clients.ts');
  await answer(command, setClientSettings, { name, ...inputOf(withKey(options)) }, local(changedClientPage));
}

async function pause(name: string, _options: Options, command: Command): Promise<void> {
  const { pauseOneClient } = await import('../operations/clients.ts');
  await answer(command, pauseOneClient, { name }, pausedClientPage);
}

async function resume(name: string, _options: Options, command: Command): Promise<void> {
  const { resumeOneClient } = await import('../operations/clients.ts');
  await answer(command, resumeOneClient, { name }, resumedClientPage);
}

async function close(name: string, _options: Options, command: Command): Promise<void> {
  const { closeOneClient } = await import('../operations/clients.ts');
  await answer(command, closeOneClient, { name }, closedPage);
}

async function list(_options: Options, command: Command): Promise<void> {
  const { listClients } = await import('../operations/clients.ts');
  await answer(command, listClients, {}, clientsPage);
}

async function show(name: string, _options: Options, command: Command): Promise<void> {
  const { showClient } = await import('../operations/clients.ts');
  await answer(command, showClient, { name }, local(clientPage));
}
