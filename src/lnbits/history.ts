import type { Secret } from '../config/secret.ts';
import type { Instant } from '../time.ts';
import { unreachable } from './answer.ts';
import type { LnbitsClient, Payment } from './client.ts';

const PAGE = 100;
const TRIES = 3;

/**
 * Every payment of a wallet that carries the bridge's tag, newest first, each once. With `since` those made at or
 * after it, and perhaps some older ones. `key` may be of either kind. Throws what the client throws, and
 * `lnbits/unreachable` where the list never came out whole: payments that come in meanwhile only shift the pages, but
 * rows that go leave gaps.
 */
export async function taggedPayments(
  lnbits: LnbitsClient,
  key: Secret,
  since: Instant | null = null,
): Promise<Payment[]> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const payments = await readPages(lnbits, key, since);
    if (payments) return payments;
  }
  throw unreachable('the payments of a wallet', 'rows went while they were read', 'Try again in a while.');
}

async function readPages(
  lnbits: LnbitsClient,
  key: Secret,
  since: Instant | null,
): Promise<Payment[] | null> {
  const seen = new Map<string, Payment>();
  let before = 0;
  for (let offset = 0; ; offset += PAGE) {
    const { payments, total } = await lnbits.newest(key, { tag: 'aio-dca', limit: PAGE, offset });
    // Where more rows went than came, the next page began too late.
    if (total < before) return null;
    before = total;
    // A wallet can have several rows of one hash: a failed try and a later one.
    for (const one of payments) seen.set(`${one.hash} ${one.amountMsat} ${one.status} ${one.time}`, one);
    const oldest = payments.at(-1)?.time;
    if (since !== null && oldest && oldest < since) return [...seen.values()];
    if (payments.length < PAGE) return seen.size >= total ? [...seen.values()] : null;
  }
}
