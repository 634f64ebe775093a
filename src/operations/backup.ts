import * as z from 'zod';
import { backupLedger } from '../ledger/copies/backup.ts';
import { parseWhole } from '../typed/numbers.ts';
import { backupView } from '../views/ledger.ts';
import { operation } from './operation.ts';

export const makeBackup = operation({
  name: 'backup.make',
  needs: 'read',
  may: [],
  errors: [],
  input: z.strictObject({
    /** The path of a file that does not exist yet, or of a folder, in which the copy gets a name with its date. */
    file: z.string(),
    /** On how many days the copies in that folder are kept. */
    keep: z.string().optional(),
  }),
  view: backupView,
  run: async ({ config: { timezone }, ledger: from }, given) => {
    const keep = given.keep === undefined ? undefined : parseDays(given.keep);
    const { verification, ...made } = await backupLedger(from, given.file, { timezone, keep });
    return { ...made, ...verification };
  },
});

function parseDays(text: string): number {
  return Number(parseWhole(text, 'keep', 99_999n, 'Write a whole number of days, like 30.'));
}
