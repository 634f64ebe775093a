import { z } from 'zod';
import { backupLedger } from '../ledger/copies/backup.ts';
import { verificationView } from '../views/verification.ts';
import { operation } from './operation.ts';

export const makeBackup = operation({
  name: 'backup.make',
  needs: 'read',
  may: [],
  errors: [],
  /** The path of a file that does not exist yet. */
  input: z.object({ file: z.string() }),
  view: verificationView.extend({
    /** Absolute. */
    file: z.string(),
    bytes: z.number(),
    ledger: z.object({ id: z.string(), schema: z.number() }),
  }),
  run: async ({ ledger: from }, given) => {
    const { file, bytes, ledger, verification } = await backupLedger(from, given.file);
    return { file, bytes, ledger, ...verification };
  },
});
