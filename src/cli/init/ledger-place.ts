import { Secret } from '../../config/secret.ts';
import { checkLedger } from '../../operations/init-checks.ts';
import { readLedger } from './checks.ts';
import type { Interview } from './interview.ts';
import { secretAnswer } from './secret-file.ts';
import type { InstallationLedger } from './settings.ts';

/** The place of the ledger, with its password. */
export async function askLedger(interview: Interview, proposed: string): Promise<InstallationLedger> {
  const { options, folder } = interview;
  for (;;) {
    const place = await interview.ask({
      key: 'ledgerUrl',
      message: 'The ledger: sqlite:FILE, or postgresql://user@host/database',
      initial: proposed,
      read: (text) => readLedger(text, folder, interview),
    });
    const password = place.url.startsWith('sqlite:')
      ? undefined
      : await secretAnswer(interview, {
          key: 'ledgerPasswordFile',
          message: 'The password of the ledger’s database (leave empty if it asks for none)',
          file: 'ledger.password',
          read: (text) => (text === '' ? undefined : new Secret(text)),
        });
    const ledger = { ...place, password };
    try {
      const found = await interview.test(checkLedger, { ledger, folder });
      if (found && found.id !== null)
        interview.note(`There is a ledger already, ${found.id}. It will be used as it is.`);
      return ledger;
    } catch (error) {
      if (!interview.terminal || options.ledgerUrl !== undefined) throw error;
      interview.complain(error);
    }
  }
}
