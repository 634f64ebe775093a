import type { Secret } from '../config/secret.ts';
import type { LnbitsClient } from '../lnbits/client.ts';

/**
 * Whether a look by this key would show what is there. A key onto a shared wallet (LNbits 1.4 and later) may receive
 * without viewing: it is shown nothing, and no error. So an invoice is made, which nobody pays, and looked for.
 */
export async function canSee(
  lnbits: Pick<LnbitsClient, 'createInvoice' | 'find'>,
  key: Secret,
): Promise<boolean> {
  const { hash } = await lnbits.createInvoice(key, {
    sats: 1n,
    memo: 'aio-dca tests that this key can see its payments. Nothing has to be paid.',
    expirySeconds: 60,
    extra: { tag: 'aio-dca-check' },
  });
  return (await lnbits.find(key, hash)) !== null;
}
