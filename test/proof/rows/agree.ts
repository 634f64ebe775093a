import type { Draws } from './draws.ts';
import { instant } from './judgement.ts';
import { currencies } from './row.ts';

/* What an operator enters before each run. */

export type Change =
  | { kind: 'client'; name: string; mode: 'flow' | 'fixed'; limits: Limit[] }
  | { kind: 'mode'; at: string; client: string; mode: 'flow' | 'fixed' }
  | { kind: 'pause'; at: string; client: string; paused: boolean }
  | { kind: 'limit'; at: string; client: string; limit: Limit }
  | { kind: 'rate'; at: string; machine: string; rate: bigint | null }
  | { kind: 'weight'; at: string; recipient: string; machine: string | null; weight: bigint }
  | {
      kind: 'funding';
      client: string;
      machine: string | null;
      currency: Code;
      amount: bigint;
      rate: bigint | null;
      depositedAt: string;
    }
  /** Of the n-th funding that has something left, so many hundredths of what remains. */
  | { kind: 'withdraw'; nth: number; percent: bigint };

type Code = keyof typeof currencies;

export interface Limit {
  currency: Code;
  daily: bigint;
}

const DAY = 86_400_000_000n;
export const clients = ['ann', 'ben', 'cleo', 'dan', 'eve', 'felix'];
export const recipients = ['operator', 'partner'];
const funded: Code[] = ['USD', 'GTQ', 'JPY', 'KWD'];

/** Who gives cash, on which terms, and how that changes. */
export function agree(
  draw: Draws,
  steps: { changes: Change[] }[],
  bounds: bigint[],
  machines: string[],
): void {
  const limit = (currency: Code): Limit => {
    const { note, digits } = currencies[currency];
    const whole = BigInt(note) * 10n ** BigInt(digits);
    return { currency, daily: draw.pick(1n, whole * draw.big(1n, 30n), draw.big(1n, whole * 50n)) };
  };
  const someRate = () => draw.pick(0n, 3_000n, draw.big(0n, 20_000n), null, null);
  const funding = (depositedAt: string): Change => {
    const currency = draw.pick(...funded);
    const { note, digits } = currencies[currency];
    const whole = BigInt(note) * 10n ** BigInt(digits);
    // Equal amounts, so that ids have to decide.
    const amount = draw.pick(whole * 50n, whole * 200n, whole * draw.big(1n, 600n) + draw.big(0n, 99n));
    const machine = draw.chance(50) ? null : draw.pick(...machines);
    return {
      kind: 'funding',
      client: draw.pick(...clients),
      machine,
      currency,
      amount,
      rate: someRate(),
      depositedAt,
    };
  };
  for (const [k, step] of steps.entries()) {
    const from = bounds[k] ?? 0n;
    const to = bounds[k + 1] ?? 0n;
    const moments = Array.from({ length: 12 }, () => draw.big(from + 1n, to))
      .sort(ascending)
      .map(instant);
    if (k === 0) {
      for (const name of clients)
        step.changes.push({
          kind: 'client',
          name,
          mode: draw.pick('flow', 'fixed'),
          limits: funded.map(limit),
        });
      for (let n = 0; n < 16; n += 1) step.changes.push(funding(instant(from - draw.big(0n, 3n * DAY))));
    }
    for (const at of moments) {
      const client = draw.pick(...clients);
      const machine = draw.pick(...machines);
      step.changes.push(
        draw.pick<() => Change>(
          () => ({ kind: 'mode', at, client, mode: draw.pick('flow', 'fixed') }),
          () => ({ kind: 'pause', at, client, paused: draw.chance(40) }),
          () => ({ kind: 'limit', at, client, limit: limit(draw.pick(...funded)) }),
          () => ({ kind: 'rate', at, machine, rate: someRate() }),
          () => ({
            kind: 'weight',
            at,
            recipient: draw.pick(...recipients),
            machine: draw.chance(60) ? null : machine,
            weight: draw.big(0n, 5n),
          }),
          () => funding(at),
          // Entered late: it was in the machine long before, and what was divided without it stays.
          () => funding(instant(draw.big(bounds[0] ?? 0n, from + 1n))),
          () => ({ kind: 'withdraw', nth: draw.int(0, 30), percent: draw.big(1n, 100n) }),
        )(),
      );
    }
  }
}

function ascending(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
