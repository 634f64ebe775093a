import fc from 'fast-check';
import type { Mode } from '../../../src/dca/fill.ts';

/* What happens to an installation in a few days, as fast-check makes it up. Times are minutes since it began. */

export const MINUTES = 4 * 24 * 60;
export const names = ['ann', 'ben', 'cleo', 'dan'] as const;
export const machines = ['m', 'n'] as const;

export interface CashOutRow {
  /** When it was confirmed; no two at once. */
  confirmed: number;
  /** When the cash came out: never before that of a row confirmed earlier. */
  payable: number;
  machine: string;
  /** Cents. */
  fiat: number;
  /** What the layperson paid above the principal, in hundredths of it. */
  charge: number;
}

export type Change = { at: number } & (
  | { kind: 'mode'; client: string; mode: Mode }
  | { kind: 'pause'; client: string; paused: boolean }
  | { kind: 'limit'; client: string; daily: number }
  | { kind: 'rate'; machine: string; rate: number | null }
  | { kind: 'weight'; recipient: string; machine: string | null; weight: number }
);

export interface History {
  clients: { mode: Mode; daily: number }[];
  fundings: {
    client: string;
    machine: string | null;
    cents: number;
    deposited: number;
    rate: number | null;
  }[];
  rows: CashOutRow[];
  changes: Change[];
  /** For each ledger, when it reads and how many rows a page has; the last run comes after everything. */
  polls: { at: number[]; page: number }[];
  priority: 'shared' | 'flow-first' | 'fixed-first';
}

const mode = fc.constantFrom<Mode>('flow', 'fixed');
const time = fc.integer({ min: 1, max: MINUTES });
const client = fc.constantFrom(...names);
const machine = fc.constantFrom(...machines);
const anyMachine = fc.option(machine);
const daily = fc.integer({ min: 1, max: 60_000 });
const rate = fc.option(fc.integer({ min: 0, max: 20_000 }));

const change = (at: fc.Arbitrary<number>): fc.Arbitrary<Change> =>
  fc.oneof(
    fc.record({ at, kind: fc.constant('mode' as const), client, mode }),
    fc.record({ at, kind: fc.constant('pause' as const), client, paused: fc.boolean() }),
    fc.record({ at, kind: fc.constant('limit' as const), client, daily }),
    fc.record({ at, kind: fc.constant('rate' as const), machine, rate }),
    fc.record({
      at,
      kind: fc.constant('weight' as const),
      recipient: fc.constantFrom('operator', 'partner'),
      machine: anyMachine,
      weight: fc.nat(4),
    }),
  );

const rows: fc.Arbitrary<CashOutRow[]> = fc
  .uniqueArray(
    fc.record({
      confirmed: time,
      late: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 1_500 })),
      machine,
      fiat: fc.integer({ min: 1, max: 90_000 }),
      charge: fc.nat(30),
    }),
    { minLength: 6, maxLength: 16, selector: (row) => row.confirmed },
  )
  .map((drawn) => {
    let payable = 0;
    return drawn
      .sort((a, b) => a.confirmed - b.confirmed)
      .map(({ late, ...row }) => {
        payable = Math.max(payable, row.confirmed + late);
        return { ...row, payable };
      });
  });

const polls = fc.record({
  at: fc.uniqueArray(time, { maxLength: 8 }).map((times) => times.sort((a, b) => a - b)),
  page: fc.integer({ min: 1, max: 5 }),
});

export const history: fc.Arbitrary<History> = rows.chain((drawn) => {
  // Often in the very moment of a cash-out.
  const moment = fc.oneof(time, fc.constantFrom(...drawn.map((row) => row.confirmed)));
  return fc.record({
    clients: fc.array(fc.record({ mode, daily }), { minLength: names.length, maxLength: names.length }),
    fundings: fc.array(
      fc.record({
        client,
        machine: anyMachine,
        cents: fc.integer({ min: 1, max: 400_000 }),
        deposited: fc.oneof(fc.constant(0), moment),
        rate,
      }),
      { minLength: 2, maxLength: 8 },
    ),
    rows: fc.constant(drawn),
    changes: fc
      .uniqueArray(change(moment), { maxLength: 14, selector: (one) => one.at })
      .map((all) => all.sort((a, b) => a.at - b.at)),
    polls: fc.tuple(polls, polls).map((both) => [...both]),
    priority: fc.constantFrom('shared', 'flow-first', 'fixed-first'),
  });
});
