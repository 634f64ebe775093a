import { afterAll, beforeAll, describe, test, vi } from 'vitest';
import type { World } from '../../support/world.ts';
import { long } from '../seed.ts';
import { type Case, GARBAGE, HTML, HUGE, survives, twoClients } from './faulty.ts';

// Nearly all of it is waiting for deadlines.
vi.setConfig({ maxConcurrency: 16, testTimeout: 900_000 });

/** To reach the server of the ledger, and for one statement there. */
const CONNECT_S = 10;
const STATEMENT_S = 65;

/** A statement of the ledger, as PostgreSQL's protocol carries it. */
const stating = (sql: string) => (request: Buffer) => request.includes(sql);

let template: World;
beforeAll(async () => {
  template = await twoClients({ ledger: 'postgresql' });
});
afterAll(async () => {
  await template?.stop();
});

type Row = [title: string, wrong: Case];
const code = 'ledger/unreachable' as const;
const soon = { code, withinS: 0 };

describe.concurrent('the way to the ledger', () => {
  const late = { code, withinS: CONNECT_S };
  test.each<Row>([
    ['refused', { fault: { do: 'refuse' }, ...soon }],
    ['reset', { fault: { do: 'reset' }, ...soon }],
    ['a black hole', { fault: { do: 'black-hole' }, ...late }],
    ['half-open', { fault: { do: 'half-open' }, ...late }],
    ['answers by a byte a second', { fault: { do: 'slow' }, ...late }],
    ['requests by a byte a second', { fault: { do: 'slow-request' }, ...late }],
    ['cut after 10 bytes', { fault: { do: 'cut', after: 10 }, ...soon }],
    ['answers lost', { fault: { do: 'lose-answer' }, ...soon }],
    ['garbage', { fault: { do: 'answer', with: GARBAGE }, ...soon }],
    ['HTML', { fault: { do: 'answer', with: HTML }, ...soon }],
    ['an answer without end', { fault: { do: 'huge', with: HUGE }, ...soon }],
  ])('%s', async (_, wrong) => {
    await survives(template, 'ledger', wrong);
  });
});

const moments = [
  ['a cash-out is recorded', 'insert into "cash_outs"'],
  ['payouts are formed', 'insert into "payouts"'],
  ['an invoice is kept', 'insert into "payments"'],
  ['a payment is settled', '"settled_at" = $'],
] as const;

describe.concurrent('in the middle of a transaction', () => {
  test.each(
    moments.flatMap(([moment, sql], index): Row[] => {
      const where = { hit: stating(sql), times: 1 };
      const late = { where, code, withinS: STATEMENT_S };
      return [
        [`reset as ${moment}`, { ...soon, where, fault: { do: 'reset' } }],
        [`cut in the answer as ${moment}`, { ...soon, where, fault: { do: 'cut', after: 10 } }],
        [`the answer lost as ${moment}`, { ...soon, where, fault: { do: 'lose-answer' } }],
        ...(long || index === 0
          ? ([[`a black hole as ${moment}`, { ...late, fault: { do: 'black-hole' } }]] as Row[])
          : []),
        ...(long || index === 3
          ? ([[`half-open as ${moment}`, { ...late, fault: { do: 'half-open' } }]] as Row[])
          : []),
      ];
    }),
  )('%s', async (_, wrong) => {
    await survives(template, 'ledger', wrong);
  });
});
