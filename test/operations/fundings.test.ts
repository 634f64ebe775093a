import { expect, test } from 'vitest';
import { OPERATOR } from '../../src/ledger/log/log.ts';
import { seeMachine } from '../../src/ledger/machines/register.ts';
import { addOneFunding, previewAddFunding } from '../../src/operations/enter-funding.ts';
import { previewReplacement, replaceMachineBy } from '../../src/operations/machines.ts';
import { plus } from '../../src/time.ts';
import { books } from '../support/books.ts';
import { bootless, now } from '../support/clock.ts';
import { forEachLedger } from '../support/ledgers.ts';
import { perform, sessionOn } from '../support/operations.ts';

/* What is done is what was previewed: a preview has a digest, and a plan that has changed is refused. */

const ago = (hours: number) => plus(now(), -hours * 3_600_000);

forEachLedger((_kind, open) => {
  test('late cash gets its part of the past that was shown, and of no other', async () => {
    const ledger = await open();
    const book = await books(ledger);
    await book.client('alice', { mode: 'flow' }, ago(99));
    await book.read(ago(10));
    await book.cashOut(300, ago(20), ago(10));
    const input = { client: 'alice', amount: '500 USD', machine: 'm', deposited: true, at: ago(48) };
    const session = sessionOn(ledger);
    const count = async () => (await ledger.db.selectFrom('fundings').select('id').execute()).length;

    await expect(perform(addOneFunding, session, input)).rejects.toMatchObject({
      ...{ kind: 'conflict', field: 'at', next: { operation: 'fundings.preview_add' } },
    });
    const seen = await perform(previewAddFunding, session, input);
    expect(seen).toMatchObject({ currency: 'USD', cash_outs: [{ own_fiat: '300.00', fiat: '300.00' }] });
    expect(await count()).toBe(0);

    await book.cashOut(100, ago(19), ago(9));
    const chosen = { ...input, from_own: true, digest: seen.digest };
    await expect(perform(addOneFunding, session, chosen)).rejects.toMatchObject({ code: 'usage/changed' });
    expect(await count()).toBe(0);

    const { digest } = await perform(previewAddFunding, session, input);
    const added = await perform(addOneFunding, session, { ...chosen, digest });
    expect(added).toMatchObject({ spent: '400.00', remaining: '100.00', past: { cash_outs: 2 } });
  });

  test('a machine is replaced as it was shown, with the fundings that were shown', async () => {
    const ledger = await open();
    const book = await books(ledger);
    await book.client('alice', { mode: 'flow' }, ago(99));
    await book.cash('alice', 100, ago(48));
    await ledger.write((trx) =>
      seeMachine(
        trx,
        { principal: OPERATOR, actor: 'dora', run: null, clock: bootless, at: ago(98) },
        'm2',
        'lamassu',
      ),
    );
    const session = sessionOn(ledger);
    const input = { old: 'm', new: 'm2' };
    const seen = await perform(previewReplacement, session, input);
    expect(seen).toMatchObject({
      ...{ old: { machine: 'm' }, new: { machine: 'm2' } },
      fundings: [{ client: 'alice', currency: 'USD', remaining: '100.00' }],
    });
    await book.cash('alice', 50, ago(1));
    const stale = perform(replaceMachineBy, session, { ...input, digest: seen.digest });
    await expect(stale).rejects.toMatchObject({ code: 'usage/changed' });
    const { digest, fundings } = await perform(previewReplacement, session, input);
    expect(await perform(replaceMachineBy, session, { ...input, digest })).toMatchObject({
      ...{ machine: 'm2', replaces: 'm', remaining: { USD: '150.00' } },
      fundings: fundings.map(({ id }) => id),
    });
  });
});
