import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, onTestFinished } from 'vitest';
import { type Ledger, openLedger } from '../../src/ledger/store/open.ts';
import { systemClock } from '../../src/time.ts';
import { freshDatabase } from './postgres.ts';

/** The databases that a ledger may be in; it keeps every promise on both. */
export const ledgerKinds = ['sqlite', 'postgresql'] as const;
export type LedgerKind = (typeof ledgerKinds)[number];

/**
 * Runs a suite on both. `open` gives a new ledger of its own to the running test, and takes it away after it.
 *
 * `forEachLedger((kind, open) => { test('…', async () => { const ledger = await open(); … }); });`
 */
export function forEachLedger(suite: (kind: LedgerKind, open: () => Promise<Ledger>) => void): void {
  for (const kind of ledgerKinds) {
    describe(kind, () => suite(kind, () => freshLedger(kind)));
  }
}

/** A new ledger, gone after the running test. For a second process: `openAgain(ledger)`, or its `url`. */
export async function freshLedger(kind: LedgerKind): Promise<Ledger> {
  const ledger = await openLedger({ clock: systemClock, url: await freshLedgerUrl(kind), use: 'create' });
  onTestFinished(() => ledger.close());
  return ledger;
}

/** Another connection to the same ledger, as another process would have it. */
export async function openAgain({ url }: Ledger): Promise<Ledger> {
  const ledger = await openLedger({ clock: systemClock, url, use: 'write' });
  onTestFinished(() => ledger.close());
  return ledger;
}

/** Where there is no ledger yet, for `[ledger] url`; gone after the running test. */
export async function freshLedgerUrl(kind: LedgerKind): Promise<string> {
  if (kind === 'postgresql') {
    const database = await freshDatabase();
    onTestFinished(() => database.drop());
    return database.url;
  }
  const directory = await mkdtemp(join(tmpdir(), 'aio-dca-ledger-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return `sqlite:${join(directory, 'ledger.sqlite')}`;
}
