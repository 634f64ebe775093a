import { AsyncLocalStorage } from 'node:async_hooks';
import { registerHooks } from 'node:module';
import pg from 'pg';
import type { Config } from '../../src/config/load.ts';
import { type LnbitsOptions, LnbitsClient as Patient } from '../../src/lnbits/client.ts';

/*
 * Short deadlines for one of the things that a run waits for, so that it can wait in vain a thousand times. Everything
 * else keeps those of the program, because a busy machine needs them.
 */

export type Wait = 'lnbits' | 'payment' | 'lamassu' | 'query' | 'ledger' | 'statement';

/** Milliseconds. */
export const DEADLINES: Record<Wait, number> = {
  lnbits: 200,
  payment: 300,
  lamassu: 2_000,
  query: 1_500,
  ledger: 1_000,
  statement: 1_500,
};

const waits = new AsyncLocalStorage<Wait | null>();
const short = <T extends object>(wait: Wait, options: T): Partial<T> =>
  waits.getStore() === wait ? options : {};

/** Takes the place of the program's, which makes it with an address only. */
export class LnbitsClient extends Patient {
  constructor(options: LnbitsOptions) {
    super({
      ...options,
      ...short('lnbits', { deadlineMs: DEADLINES.lnbits, backoffMs: 1, maxBytes: 300_000 }),
      ...short('payment', { payDeadlineMs: DEADLINES.payment, maxBytes: 300_000 }),
    });
  }
}

registerHooks({
  resolve: (specifier, context, next) => {
    const found = next(specifier, context);
    const asked = found.url.endsWith('/src/lnbits/client.ts') && context.parentURL !== import.meta.url;
    return asked ? { ...found, url: import.meta.url } : found;
  },
});

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
  return waits.run(wait, () => work({ ...config, lamassu }));
}
