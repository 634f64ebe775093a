import { expect, test } from 'vitest';
import { audit } from '../../support/auditor.ts';
import { startWorld } from '../../support/world.ts';
import { decideHeld, heldIn } from './held.ts';

test('what LNbits debited and never credited, killed in between, is held until the operator has it paid again', async () => {
  const world = await startWorld({ tunnel: 'direct' });
  try {
    await world.must(['migrate']);
    await world.addClient('alice');
    await world.addFunding('alice', '8000 GTQ');
    await world.insertCashOut();
    const lnbits = world.simulator();
    lnbits.rules.push({ when: { kind: 'pay' }, fault: { pay: 'debit-only' } });
    lnbits.onRequest = ({ kind }, phase) => (kind === 'pay' && phase === 'after' ? 'drop' : undefined);
    await world.aioDca(['poll']);
    lnbits.onRequest = undefined;
    await lnbits.restart();

    expect(await heldIn(world)).toEqual(["p1 is held: debited, not credited: the client's side is pending"]);
    const lostByLnbits = await decideHeld(world);
    expect(lostByLnbits).toHaveLength(1);
    await world.must(['poll']);

    expect(await heldIn(world)).toEqual([]);
    const seen = await audit(world, { lostByLnbits });
    expect(seen.violations).toEqual([]);
    expect(seen.wallets.get('alice')).toBe(484_207n);
    expect((await audit(world)).violations).not.toEqual([]);
    expect((await world.must(['verify', '--json'])).json()).toMatchObject({ ok: true, differences: [] });
  } finally {
    await world.stop();
  }
});
