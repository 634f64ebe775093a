import { describe, expect, test } from 'vitest';
import type { Fault } from '../support/lnbits-simulator.ts';
import { balance, day, fails, owing, payments, run, states, waiting } from '../support/one-run.ts';

/*
 * What a run does if something in front of LNbits answers in its place. Such an answer decides nothing about a payment.
 */

const page = (status: number, headers: Record<string, string> = {}) => ({
  status,
  headers,
  body: '<html>no</html>',
});
const answers: [string, Extract<Fault, { answer: unknown }>['answer'], string][] = [
  ['a log-in page', page(401, { 'www-authenticate': 'Basic' }), 'lnbits/proxy'],
  ['a firewall', page(403), 'lnbits/proxy'],
  [
    'RFC 9457',
    { status: 403, body: { type: 'about:blank', status: 403, detail: 'Wallet not found.' } },
    'lnbits/proxy',
  ],
  ['a gateway', { status: 401, body: { detail: 'Invalid API key' } }, 'lnbits/proxy'],
  ['a redirect', page(302, { location: 'https://elsewhere.example.org/login' }), 'lnbits/redirect'],
  ['not found', page(404), 'lnbits/unreachable'],
  ['a gateway time-out', page(504), 'lnbits/unreachable'],
];

describe.each(answers)('%s', (_, answer, code) => {
  test.each(['before', 'after'] as const)(
    'in the place of the answer to a payment, %s LNbits works on it',
    async (at) => {
      await owing({ alice: 10n });
      day.lnbits.rules = [fails({ kind: 'pay' }, { at, answer }, 2)];
      waiting.meanwhile = async () => {
        expect(await states()).toEqual({ alice: 'unknown' });
      };
      expect(await run()).toMatchObject({ settled: 1, problems: [] });
      expect(balance('alice')).toBe(10n);
      expect(await payments()).toHaveLength(1);
    },
  );

  test('instead of an answer about a client’s wallet: that wallet is not taken for gone', async () => {
    await owing({ alice: 10n });
    const { walletId } = (await day.ledger.db
      .selectFrom('recipients')
      .select('wallet_id as walletId')
      .where('name', '=', 'alice')
      .executeTakeFirst()) ?? { walletId: '' };
    day.lnbits.rules = [fails({ walletId }, { at: 'before', answer }, 99)];
    expect((await run()).problems).toContain(code);
    expect(await states()).toEqual({ alice: 'deferred' });
    day.lnbits.rules = [];
    expect(await run()).toMatchObject({ settled: 1, problems: [] });
    expect(balance('alice')).toBe(10n);
  });
});
