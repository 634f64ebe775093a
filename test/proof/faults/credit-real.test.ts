import { describe, expect, test } from 'vitest';
import { audit } from '../../support/auditor.ts';
import { QUIET } from '../../support/kill.ts';
import { proxied } from '../../support/lnbits-proxy.ts';
import { lnbitsAvailable, startLnbits } from '../../support/lnbits-real.ts';
import { startWorld } from '../../support/world.ts';

/*
 * The credit of the source wallet is the only request that LNbits carries out again when it is sent again. If two
 * credits cannot be told apart, the operator decides; clients are paid from what is there.
 */

describe.concurrent('a credit that LNbits gets twice', () => {
  test.for([
    { version: '1.0.0', answer: 'is lost' },
    { version: '1.6.2', answer: 'arrives' },
  ] as const)(
    'LNbits $version, whose answer $answer',
    { timeout: 240_000 },
    async ({ version, answer }, { skip }) => {
      if (!lnbitsAvailable(version)) skip(`LNbits ${version} is not installed`);
      await using stack = new AsyncDisposableStack();
      const lnbits = await proxied(await startLnbits({ version }));
      const world = await startWorld({ tunnel: 'direct', quiet: QUIET, lnbits, credit: true });
      stack.defer(() => world.stop());
      await world.must(['migrate']);
      await world.addClient('alice');
      await world.addFunding('alice', '60000 GTQ');
      await world.insertCashOut();
      let asked = 0;
      lnbits.onRequest = async ({ kind, again }, phase) => {
        if (kind !== 'credit') return;
        if (phase === 'after') return answer === 'arrives' ? undefined : 'drop';
        asked += 1;
        await again();
      };
      const ran = await world.aioDca(['poll', '--json']);
      expect(ran.code, ran.stdout + ran.stderr).toBe(answer === 'arrives' ? 2 : 75);
      // It is not sent a third time, and no client waits for sats or gets them twice.
      await world.must(['poll']);
      expect(asked).toBe(1);
      const [credit, ...others] = (await world.must(['credits', 'list', '--json'])).json<Credit[]>();
      expect(credit).toMatchObject({ state: 'held', sats: 484_207 });
      expect(credit?.reason).toMatch(/^the source wallet shows 2 new credits of 484,207 sat/);
      expect(others).toEqual([]);
      expect((await world.must(['payouts', 'list', '--json'])).json()).toMatchObject([
        { state: 'settled', sats: 484_207 },
      ]);
      const { violations } = await audit(world);
      expect(violations).toEqual([
        { kind: 'twice', what: 'the source wallet was credited with 968414000 msat for 484207000' },
      ]);
      // The operator says that it arrived; the surplus from LNbits stays in the source wallet.
      await world.must([
        'credits',
        'resolve',
        'c1',
        '--credited',
        '--reason',
        'sent once, done twice',
        '--yes',
      ]);
      await world.must(['status']);
      expect(await world.balance(world.source)).toBe(484_207n);
    },
  );
});

interface Credit {
  state: string;
  sats: number;
  reason: string;
}
