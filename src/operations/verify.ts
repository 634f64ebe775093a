import * as z from 'zod';
import { verifyLedger } from '../ledger/verify/verify.ts';
import { verificationView } from '../views/verification.ts';
import { operation } from './operation.ts';

export const verify = operation({
  name: 'verify',
  needs: 'read',
  may: ['bookkeeper'],
  errors: [],
  input: z.strictObject({}),
  view: verificationView,
  run: async ({ ledger }) => verifyLedger(ledger),
});
