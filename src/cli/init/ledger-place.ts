import { Secret } from '../../config/secret.ts';
import { checkLedger } from '../../operations/init-checks.ts';
import { readLedger } from './checks.ts';
import type { InitOptions } from './init-options.ts';
import type { Interview } from './interview.ts';
import { secretAnswer } from './secret-file.ts';
import type { InstallationLedger } from './settings.ts';

/** The place of the ledger, with its password. */
export async function askLedger(
  interview: Interview,
  options: InitOptions,
  folder: string,
  proposed: string,
): Promise<InstallationLedger> {
  for (;;) {
    const place = await interview.ask({
      key: 'ledgerUrl',
      message: 'The ledger: sqlite:FILE, or postgresql://user@host/database',
      initial: proposed,
      read: (text) => readLedger(text, folder),
    });
    const password = place.url.startsWith('sqlite:')
      ? undefined
      : await secretAnswer(interview, options, {
          key: 'ledgerPasswordFile',
          message: 'The password of the ledger’s database (leave empty if it asks for none)',
          folder,
          file: 'ledger.password',
          read: (text) => (text === '' ? undefined : new Secret(text)),
        });
    const ledger = { ...place, password };
    if (!options.test) return ledger;
    try {
      const { id } = await interview.perform(checkLedger, { ledger, folder });
      if (id !== null) interview.note(`There is a ledger already, ${id}. It will be used as it is.`);
      return ledger;
    } catch (error) {
      if (!interview.terminal || options.ledgerUrl !== undefined) throw error;
      interview.complain(error);
    }
  }
}
