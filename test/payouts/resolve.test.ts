import { expect, test } from 'vitest';
import { bearsOut, bothSides } from '../../src/payouts/resolve.ts';
import { fakeLnbits, openFake, payment } from './fake-lnbits.ts';

/* What a person who says what became of a payment is held against. */

test("the source's side is read after the client's", async () => {
  const base = await openFake();
  const lnbits = fakeLnbits({ source: ['success'], client: 'pending' });
  expect(await bothSides(base.context(lnbits), payment)).toEqual({ source: 'success', client: 'pending' });
  expect(lnbits.asked).toEqual(['client', 'source']);
  await base.close();
});

const paid = [['success', 'arrived']];
const notPaid = (['failed', 'none'] as const).flatMap((source) =>
  (['pending', 'failed', 'none', 'gone'] as const).map((client) => [source, client]),
);

test.each(['success', 'pending', 'failed', 'none'] as const)('what bears a word out: source %s', (source) => {
  for (const client of ['arrived', 'pending', 'failed', 'wrong-amount', 'none', 'gone'] as const) {
    expect(bearsOut({ source, client }, true), client).toBe(
      paid.some((one) => `${one}` === `${[source, client]}`),
    );
    expect(bearsOut({ source, client }, false), client).toBe(
      notPaid.some((one) => `${one}` === `${[source, client]}`),
    );
  }
});
