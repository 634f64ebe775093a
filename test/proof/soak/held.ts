import { ledgerSql } from '../../support/ledger-sql.ts';
import type { WalletKeys } from '../../support/lnbits.ts';
import type { World } from '../../support/world.ts';

/*
 * A real LNbits commits a payment's debit and its credit one after the other. Killed in between it has debited and
 * never credits: in these rounds, the only case that the program rightly leaves to the operator.
 */

/** The held payouts, in words. */
export async function heldIn({ ledgerUrl }: World): Promise<string[]> {
  const held = await ledgerSql(ledgerUrl, "select id, reason from payouts where state = 'held'");
  return held.map(({ id, reason }) => `p${id} is held: ${reason}`);
}

/**
 * Does what an operator does about held payouts: looks at both wallets, and where LNbits debited and did not credit,
 * has the payout paid again. Answers the hashes that were lost so; throws where a payout is held for anything else.
 */
export async function decideHeld(world: World): Promise<string[]> {
  const held = await ledgerSql(
    world.ledgerUrl,
    `select p.id, p.reason, y.payment_hash, y.client_wallet_id from payouts p
     join payments y on y.payout_id = p.id and y.state = 'unknown' where p.state = 'held'`,
  );
  const lost: string[] = [];
  for (const { id, reason, payment_hash, client_wallet_id } of held) {
    const hash = `${payment_hash}`;
    const client = [...world.wallets.values()].find((keys) => keys.id === client_wallet_id);
    const source = await statusOf(world, world.source, hash);
    const arrived = client && (await statusOf(world, client, hash));
    if (source !== 'success' || arrived !== 'failed')
      throw new Error(`p${id} is held (${reason}), and LNbits shows ${source} and ${arrived}`);
    const words = ['--not-paid', '--reason', 'debited, not credited', '--yes'];
    await world.must(['payouts', 'resolve', `p${id}`, ...words]);
    lost.push(hash);
  }
  return lost;
}

async function statusOf({ lnbits }: World, { inkey }: WalletKeys, hash: string): Promise<string | undefined> {
  const answer = await fetch(`${lnbits.url}/api/v1/payments/paginated?payment_hash=${hash}`, {
    headers: { 'X-Api-Key': inkey },
  });
  if (!answer.ok) throw new Error(`LNbits answered ${answer.status} for a payment`);
  return ((await answer.json()) as { data: { status: string }[] }).data[0]?.status;
}
