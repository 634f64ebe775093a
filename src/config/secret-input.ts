import * as z from 'zod';
import { isKey } from '../lib/text.ts';
import { Secret } from './secret.ts';

/** A secret in an input: text, or what a door has read from a file already. */
export const secretInput = z.union([
  z.instanceof(Secret),
  z
    .string()
    .min(1)
    .transform((text) => new Secret(text)),
]);

/** The key of a wallet. */
export const keyInput = secretInput.refine((key) => isKey(key.reveal()), {
  error: 'it is not a single key; copy it from the wallet’s “API keys” in LNbits',
});
