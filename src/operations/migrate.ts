import * as z from 'zod';
import { openLedger } from '../ledger/store/open.ts';
import { migratedView } from '../views/ledger.ts';
import { LEDGER } from './errors.ts';
import { operation } from './operation.ts';

/** Creates the ledger, or brings its schema up to date. */
export const migrate = operation({
  name: 'migrate',
  needs: 'config',
  may: [],
  errors: LEDGER,
  input: z.strictObject({}),
  view: migratedView,
  run: async ({ config, clock }) => {
    const ledger = await openLedger({ ...config.ledger, clock, use: 'create' });
    const { id, url, schema } = ledger;
    await ledger.close();
    return { ledger: { id, url, schema } };
  },
});
