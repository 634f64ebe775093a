import { expect, test } from 'vitest';
import { BridgeError } from '../../src/errors.ts';
import { failure, HoldsTooMuch, NoPermission, TooLittle, tooFull } from '../../src/lnbits/answer.ts';
import { lacksRightToReceive } from '../../src/lnbits/rights.ts';

/* What LNbits refuses, told apart where its answer is read. */

const refused = (detail: string, what = 'POST /api/v1/payments') =>
  failure(what, { status: 520, body: { detail, status: 'failed' } }, null, true);

test.each([
  ['Insufficient balance.', TooLittle],
  ['Wallet does not have permission to create invoices.', NoPermission],
  ['Wallet balance cannot exceed 1000 sats.', HoldsTooMuch],
  ['Something else.', BridgeError],
])('%s', (detail, kind) => {
  const error = refused(detail);
  expect(error.constructor).toBe(kind);
  expect(error).toMatchObject({
    code: 'lnbits/refused',
    message: `POST /api/v1/payments: LNbits refused: ${detail}`,
  });
});

test('only what LNbits said counts, not what was asked of it', () => {
  const asked = refused('Something else.', 'GET /permission/wallet balance cannot exceed 5 sats');
  expect(asked.constructor).toBe(BridgeError);
  expect(lacksRightToReceive(asked)).toBeUndefined();
  expect(tooFull(asked, 'the source wallet', 0n)).toBeNull();
});

test('a key without the right to make invoices, and a wallet that holds too much, are named', () => {
  expect(lacksRightToReceive(refused('You do not have permission.'))).toMatchObject({
    code: 'lnbits/rights',
  });
  expect(
    tooFull(refused('Wallet balance cannot exceed 1000 sats.'), 'the source wallet', 1_500_000n),
  ).toMatchObject({
    code: 'lnbits/wallet-full',
    message: expect.stringContaining('holds 1,500 sat, and LNbits lets a wallet hold at most 1,000 sat'),
  });
});
