import type { CreditState, PayoutState } from '../ledger/store/schema.ts';

/* Without zod: commands need them for their help. */

export const PAYOUT_STATES = [
  'planned',
  'paying',
  'deferred',
  'unknown',
  'held',
  'settled',
] as const satisfies PayoutState[];

export const CREDIT_STATES = [
  'intended',
  'sending',
  'unknown',
  'credited',
  'held',
  'dropped',
] as const satisfies CreditState[];
