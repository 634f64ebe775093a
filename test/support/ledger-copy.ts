import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Secret } from '../../src/config/secret.ts';
import type { BridgeError } from '../../src/errors.ts';
import { OPERATOR } from '../../src/ledger/log/log.ts';
import { startRun } from '../../src/ledger/runs/lease.ts';
import { openLedger } from '../../src/ledger/store/open.ts';
import { type PayReport, pay } from '../../src/scheduler/pay-due.ts';
import type { Payday } from './payday.ts';

/** Another copy of a payday's ledger, on another host, as it was when it was copied. */
export interface LedgerCopy {
  ledger: Payday['ledger'];
  /** The paying half of one run, once the lease that was held when the copy was made is free. */
  payNow(): Promise<PayReport & { problems: BridgeError[] }>;
  stop(): Promise<void>;
}

/** `sourceKey`: another wallet that pays. */
export async function copyOf(day: Payday, { sourceKey }: { sourceKey?: string } = {}): Promise<LedgerCopy> {
  const folder = mkdtempSync(join(tmpdir(), 'aio-dca-copy-'));
  const file = join(folder, 'ledger.sqlite');
  const from = new DatabaseSync(day.ledger.url.slice('sqlite:'.length), { readOnly: true });
  from.exec(`vacuum into '${file}'`);
  from.close();
  const ledger = await openLedger({ clock: day.ledger.clock, url: `sqlite:${file}`, use: 'write' });
  const { lnbits, ...config } = day.config;
  const sourceWalletKey = sourceKey === undefined ? lnbits.sourceWalletKey : new Secret(sourceKey);
  return {
    ledger,
    payNow: async () => {
      await ledger.db.updateTable('lease').set({ expires_at: '2026-01-01T00:00:00.000000Z' }).execute();
      const run = await startRun(ledger, 'poll', { principal: OPERATOR, actor: 'the copy' });
      const problems: BridgeError[] = [];
      const { signal } = new AbortController();
      const its = { ...config, lnbits: { ...lnbits, sourceWalletKey } };
      const report = await pay({ ledger, config: its, run, signal, problems });
      await run.finish('ok', null);
      return { ...report, problems };
    },
    stop: async () => {
      await ledger.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
