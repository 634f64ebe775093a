import type { Command } from 'commander';
import { does, local, unlessDry, unlessOk } from '../command/call.ts';
import { again, define } from '../command/options.ts';
import { recoveryPage } from '../pages/ledger.ts';

const operations = () => import('../../operations/ledger.ts');

export function register(ledger: Command): void {
  define(ledger, 'recover', 'enter into a restored backup of the ledger what LNbits shows as paid since')
    .option('--dry-run', 'write nothing, show what would be entered')
    .option(
      '--former-wallet-key-file <file>',
      'admin key of a wallet that paid before the present source wallet (may be given again)',
      again,
      [],
    )
    .option(
      '--other-config <file>',
      'config.toml of another Lamassu server of this ledger (may be given again)',
      again,
      [],
    )
    .option(
      '--without-former-wallet',
      'declare that a former source wallet is gone and paid nothing that this ledger does not know',
    )
    .option('--hold', 'also book what does not fit, held for the operator to decide')
    .option('--reason <text>', 'why, for the log; with --hold or --without-former-wallet')
    .addHelpText(
      'after',
      '\nStop the timer or the daemon first: otherwise a run distributes cash-outs before their fundings are entered. ' +
        'Nothing is written unless every payment fits, to the sat.\n' +
        '\nExamples:\n  aio-dca ledger recover --dry-run\n  aio-dca ledger recover\n' +
        '  aio-dca ledger recover --hold --reason "funding f12 is lost, alice has agreed"\n' +
        '  aio-dca ledger recover --former-wallet-key-file former.adminkey\n' +
        '  aio-dca ledger recover --without-former-wallet --reason "LNbits was replaced, the old one is off"',
    )
    .action(
      unlessDry(
        does(operations, 'previewRecovery', local(recoveryPage), unlessOk),
        does(operations, 'recoverLedger', local(recoveryPage), unlessOk),
      ),
    );
}
