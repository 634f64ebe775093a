import { expect, test } from 'vitest';
import { BridgeError } from '../../src/errors.ts';
import { openLedger } from '../../src/ledger/store/open.ts';
import { shareLedger } from '../../src/operations/shared-ledger.ts';
import { testClock } from '../support/clock.ts';
import { freshLedger } from '../support/ledgers.ts';

/* One open ledger for many requests. */

async function shared() {
  const { url } = await freshLedger('sqlite');
  const clock = testClock('2026-11-30T12:00:00.000000Z');
  let opened = 0;
  let closed = 0;
  const open = async () => {
    opened += 1;
    const ledger = await openLedger({ clock, url, use: 'write' });
    return {
      ...ledger,
      close: async () => {
        closed += 1;
        await ledger.close();
      },
    };
  };
  return { clock, share: shareLedger(open, clock), counts: () => [opened, closed] };
}

test('requests share it, and it is opened again when it is old and nobody uses it', async () => {
  const { clock, share, counts } = await shared();
  const ids = await Promise.all([1, 2, 3].map(() => share.withLedger('read', async ({ id }) => id)));
  expect([new Set(ids).size, counts()]).toEqual([1, [1, 0]]);
  const { promise: over, resolve: end } = Promise.withResolvers<void>();
  const long = share.withLedger('write', () => over);
  clock.pass(60_000);
  // Twice open in one process, a file would wait for itself.
  await share.withLedger('read', async () => {});
  expect(counts()).toEqual([1, 0]);
  end();
  await long;
  await share.withLedger('read', async () => {});
  expect(counts()).toEqual([2, 1]);
  await share.close();
  expect(counts()).toEqual([2, 2]);
});

test('after a failure of the database it is opened again; after another error it is not', async () => {
  const { share, counts } = await shared();
  const fail = (code: 'ledger/unreachable' | 'usage/invalid') =>
    share.withLedger('read', () => Promise.reject(new BridgeError(code, 'failed')));
  await expect(fail('usage/invalid')).rejects.toThrow('failed');
  await share.withLedger('read', async () => {});
  expect(counts()).toEqual([1, 0]);
  await expect(fail('ledger/unreachable')).rejects.toThrow('failed');
  await share.withLedger('read', async () => {});
  expect(counts()).toEqual([2, 1]);
  await share.close();
});

test('what cannot be opened is tried again by the next request', async () => {
  const clock = testClock('2026-11-30T12:00:00.000000Z');
  let tries = 0;
  const { url } = await freshLedger('sqlite');
  const share = shareLedger(async () => {
    tries += 1;
    if (tries === 1) throw new BridgeError('ledger/unreachable', 'not now');
    return openLedger({ clock, url, use: 'write' });
  }, clock);
  await expect(share.withLedger('read', async () => {})).rejects.toThrow('not now');
  await share.withLedger('read', async () => {});
  expect(tries).toBe(2);
  await share.close();
});
