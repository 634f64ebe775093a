import type { Command } from 'commander';
import { answer, inputOf } from './call.ts';
import { withKey } from './key-file.ts';
import { reasonOption } from './options.ts';
import { addedRecipientPage, changedPage, recipientsPage, removedPage } from './pages/commission.ts';

const WEIGHT = '--weight <n>';
const MACHINE = '--machine <machine>';
const KEY_FILE = '--wallet-key-file <file>';

export function register(program: Command): void {
  const commission = program
    .command('commission')
    .description('recipients of the commission; without any, it stays in the source wallet');
  commission
    .command('list')
    .description('all recipients, their weights, and what they received')
    .addHelpText('after', '\nExample:\n  aio-dca commission list')
    .action(list);
  reasonOption(commission.command('add'))
    .description('add a recipient with the invoice key of its LNbits wallet, which is tested')
    .argument('<name>', '1 to 64 letters, digits, "-", "_" or "."')
    .requiredOption(KEY_FILE, 'holds the invoice key of the wallet; it is read once')
    .requiredOption(WEIGHT, 'a whole number; the commission is divided in proportion to the weights')
    .option(MACHINE, 'only for this machine, whose own recipients replace those of all machines')
    .option(
      '--from <time>',
      'it shares in cash-outs confirmed since then and not distributed yet (default: now)',
    )
    .addHelpText(
      'after',
      '\nExamples:\n  aio-dca commission add owner --wallet-key-file owner.key --weight 70\n' +
        '  aio-dca commission add shop --wallet-key-file shop.key --weight 1 --machine Antigua',
    )
    .action(add);
  reasonOption(commission.command('set'))
    .description('change a recipient from now on; earlier cash-outs keep their division')
    .argument('<name>')
    .option(WEIGHT, 'a whole number; restores a removed recipient')
    .option(MACHINE, 'the weight at this machine (default: at all machines without recipients of their own)')
    .option(KEY_FILE, 'a new invoice key of the same wallet')
    .option('--new-wallet', 'the key belongs to another wallet, which gets everything that was not sent yet')
    .addHelpText(
      'after',
      '\nExamples:\n  aio-dca commission set owner --weight 60\n' +
        '  aio-dca commission set owner --weight 1 --machine Antigua',
    )
    .action(set);
  reasonOption(commission.command('remove'))
    .description('remove a recipient: no new shares from now on; waiting sats are still paid')
    .argument('<name>')
    .option(MACHINE, 'only at this machine (default: everywhere)')
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
  name: string,
  options: Options & { weight: string; walletKeyFile: string },
  command: Command,
): Promise<void> {
  const { addRecipient, listRecipients } = await import('../operations/commission.ts');
  await answer(command, addRecipient, { name, ...inputOf(withKey(options)) }, async (done, cli) =>
    addedRecipientPage(done, await cli.perform(listRecipients, {}), options.from !== undefined),
  );
}

async function set(name: string, options: Options, command: Command): Promise<void> {
  const { setRecipient, listRecipients } = await import('../operations/commission.ts');
  await answer(command, setRecipient, { name, ...inputOf(withKey(options)) }, async (done, cli) =>
    changedPage(done, await cli.perform(listRecipients, {})),
  );
}

async function remove(name: string, options: Options, command: Command): Promise<void> {
  const { removeRecipient, listRecipients } = await import('../operations/commission.ts');
  await answer(command, removeRecipient, { name, ...inputOf(options) }, async (done, cli) =>
    removedPage(done, await cli.perform(listRecipients, {}), options.machine),
  );
}

async function list(_options: object, command: Command): Promise<void> {
  const { listRecipients } = await import('../operations/commission.ts');
  await answer(command, listRecipients, {}, recipientsPage);
}
