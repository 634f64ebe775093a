import type { Command } from 'commander';
import { usage } from '../terminal/context.ts';
import { askSecret, canAsk } from '../terminal/prompt.ts';
import type { Action } from './call.ts';
import { keyIn } from './key-file.ts';

const OPTION = '--wallet-key-file';

/**
 * Asks on the terminal for the invoice key of a wallet, without showing it, if no file is named, or `-`. Without a
 * terminal `-` is the input, and a missing key an error.
 */
export function withKey(action: Action): Action {
  return askingIf(() => true, action);
}

/** The same where a key is needed for another wallet only. */
export function withOtherKey(action: Action): Action {
  return askingIf(({ newWallet }) => newWallet === true && canAsk(), action);
}

interface KeyOptions {
  walletKeyFile?: string;
  newWallet?: boolean;
}

function askingIf(needed: (options: KeyOptions) => boolean, action: Action): Action {
  return async (...all) => {
    const command = all.at(-1) as Command;
    const options = command.opts<KeyOptions>();
    const { walletKeyFile: file } = options;
    const asked = file === '-' ? canAsk() : file === undefined && needed(options);
    if (asked && !canAsk()) {
      throw usage(
        `${OPTION}: it is missing, and there is no terminal to ask on.`,
        `Name a file that holds the invoice key, or - for the input: ${OPTION} - < FILE.`,
      );
    }
    if (asked) {
      const whose = command.processedArgs[0];
      const typed = await askSecret(
        `Invoice key of ${whose}'s wallet in LNbits (“Invoice/read key” under its “API keys”; it is not shown)`,
      );
      command.setOptionValue('walletKeyFile', keyIn(Buffer.from(typed), OPTION, 'the answer'));
    }
    return action(...all);
  };
}
