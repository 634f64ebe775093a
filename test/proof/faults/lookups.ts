import { setTimeout as sleep } from 'node:timers/promises';
import type { Lnbits } from '../../support/lnbits.ts';
import type { ProxiedRequest } from '../../support/lnbits-proxy.ts';

/** As far as it matters here. */
export interface Row {
  payment_hash: string;
  amount: number;
  status: string;
  extra: { payout: string; part: number };
}

/** What the bridge's payments come to in the wallet of a key, as LNbits shows them. */
export async function paymentsOf({ url: lnbits }: Lnbits, key: string): Promise<Row[]> {
  const url = `${lnbits}/api/v1/payments/paginated?tag=aio-dca&limit=1000`;
  const answer = await fetch(url, { headers: { 'X-Api-Key': key } });
  return ((await answer.json()) as { data: Row[] }).data;
}

export interface LookUps {
  /** Answers whether the invoice was ever shown as failed. */
  end(): Promise<boolean>;
}

/**
 * Looks up an invoice again and again, in the way in which this LNbits marks an unpaid one as failed: 1.6 for whoever
 * knows the hash, 1.0 for whoever lists the payments of the wallet.
 */
export function lookUpAgainAndAgain(real: Lnbits, { hash, payee }: ProxiedRequest, delayMs: number): LookUps {
  const payments = `${real.url}/api/v1/payments`;
  const ask =
    real.version === '1.0.0'
      ? () => fetch(`${payments}/paginated?payment_hash=${hash}`, { headers: { 'X-Api-Key': payee ?? '' } })
      : () => fetch(`${payments}/${hash}`);
  let over = false;
  let failed = false;
  const looked = (async () => {
    await sleep(delayMs);
    while (!over) failed = /"status": ?"failed"/.test(await (await ask()).text()) || failed;
  })();
  const end = async () => {
    over = true;
    await looked;
    return failed;
  };
  return { end };
}
