import { AsyncLocalStorage } from 'node:async_hooks';
import pg from 'pg';
import type { Config } from '../../../src/config/config.ts';
import type { LnbitsOptions } from '../../../src/lnbits/wallet-client.ts';

/*
 * Short deadlines for one of the things that a run waits for, so that it can wait in vain a thousand times. Everything
 * else keeps those of the program, because a busy machine needs them.
 */

export type Wait = 'lnbits' | 'payment' | 'lamassu' | 'query' | 'ledger' | 'statement';

/** Milliseconds. */
export const DEADLINES: Record<Wait, number> = {
  lnbits: 200,
  payment: 300,
  lamassu: 4_000,
  query: 1_500,
  ledger: 1_000,
  statement: 1_500,
};

const waits = new AsyncLocalStorage<Wait | null>();
const short = <T extends object>(wait: Wait, options: T): Partial<T> =>
  waits.getStore() === wait ? options : {};

pg.Pool = class extends pg.Pool {
  constructor(options?: pg.PoolConfig) {
    super({
      ...options,
      ...short('ledger', { connectionTimeoutMillis: DEADLINES.ledger }),
      ...short('statement', { query_timeout: DEADLINES.statement }),
    });
  }
};

/** Does `work` with a short deadline for `wait`, if any, and this configuration with short deadlines, too. */
export function hastily<T>(
  config: Config,
  wait: Wait | null,
  work: (config: Config) => Promise<T>,
): Promise<T> {
  const deadlines = {
    connect: wait === 'lamassu' ? DEADLINES.lamassu : 15_000,
    query: wait === 'query' ? DEADLINES.query : 60_000,
  };
  const lamassu = { ...config.lamassu, deadlines };
  const lnbits = { ...config.lnbits, ...ofLnbits(wait) };
  return waits.run(wait, () => work({ ...config, lamassu, lnbits }));
}

/** Every opening of LNbits passes on what the configuration says of it. */
function ofLnbits(wait: Wait | null): Partial<LnbitsOptions> {
  if (wait === 'lnbits') return { deadlineMs: DEADLINES.lnbits, backoffMs: 1, maxBytes: 300_000 };
  if (wait === 'payment') return { payDeadlineMs: DEADLINES.payment, maxBytes: 300_000 };
  return {};
}
