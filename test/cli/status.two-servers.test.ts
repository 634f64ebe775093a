import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ledgerSql } from '../support/ledger-sql.ts';
import { ledgerKinds } from '../support/ledgers.ts';
import { startWorld } from '../support/world.ts';

test.each(ledgerKinds)(
  'of two Lamassu servers on one ledger, each is watched by itself, in %s',
  async (ledger) => {
    const world = await startWorld({ tunnel: 'direct', ledger });
    onTestFinished(() => world.stop());
    await world.must(['migrate']);
    // A ledger without a successful run is stale only if it is old enough.
    await ledgerSql(world.ledgerUrl, `update ledger set created_at = '2026-01-01T00:00:00.000000Z'`);
    await world.addClient('alice');
    const south = join(world.folder, 'south.toml');
    const config = await readFile(world.configFile, 'utf8');
    const dead = config
      .replace('[lamassu]\n', '[lamassu]\nname = "south"\n')
      .replace(/^port = .*$/m, 'port = 1');
    await writeFile(south, dead, { mode: 0o600 });
    expect((await world.aioDca(['--config', south, 'poll'])).code).toBe(75);
    const northern = await world.must(['poll', '--json']);
    expect(northern.json()).toMatchObject({ outcome: 'ok' });

    const status = await world.aioDca(['--config', south, 'status', '--json']);
    expect(status.code).toBe(2);
    expect(status.json()).toMatchObject({ last_success_at: null, attention: { stale: true } });
    const metrics = (await world.must(['--config', south, 'metrics'])).stdout.split('\n');
    expect(metrics).toContain('aio_dca_attention{reason="stale"} 1');
    expect(metrics).toContain('aio_dca_last_success_timestamp_seconds 0');
    expect(metrics).toContain('aio_dca_last_run_outcome{outcome="incomplete"} 1');

    const well = await world.must(['status', '--json']);
    expect(well.json()).toMatchObject({ last_success_at: expect.any(String), attention: { stale: false } });
    expect((await world.must(['metrics'])).stdout).toContain('aio_dca_last_run_outcome{outcome="ok"} 1');
    expect((await world.must(['verify', '--json'])).json()).toMatchObject({ ok: true, differences: [] });
  },
);
