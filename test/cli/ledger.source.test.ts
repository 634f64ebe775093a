import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { ledgerSql } from '../support/ledger-sql.ts';
import { ledgerKinds } from '../support/ledgers.ts';
import { startWorld, type World } from '../support/world.ts';

const HOUR = 3_600_000;
const ago = (hours: number) => new Date(Date.now() - hours * HOUR).toISOString();
const FORMER = '7000000000000000001';

describe.each(ledgerKinds)(
  'a Lamassu database that was upgraded, restored or moved; ledger in %s',
  (kind) => {
    let world: World;
    let ids: string[];
    let is: string;

    beforeAll(async () => {
      world = await startWorld({ tunnel: 'direct', ledger: kind });
      await world.must(['migrate']);
      await world.addClient('alice');
      await world.addFunding('alice', '30000 GTQ', { at: ago(300) });
      ids = [];
      for (const hours of [4, 3, 2]) {
        const confirmed_at = ago(hours);
        ids.push(await world.insertCashOut({ confirmed_at, created: confirmed_at }));
      }
      await world.must(['poll']);
      const [row] = await world.lamassu.query(
        'select system_identifier::text as id from pg_control_system()',
      );
      is = String(row?.id);
      // As it was before: this is another cluster with the same rows.
      await ledgerSql(world.ledgerUrl, `update sources set system_identifier = '${FORMER}'`);
    });
    afterAll(async () => {
      expect((await world.must(['verify', '--json'])).json()).toMatchObject({ ok: true });
      await world.stop();
    });

    const accept = (...more: string[]) =>
      world.aioDca(['ledger', 'source', '--accept', is, '--reason', 'PostgreSQL 12 to 15', ...more]);
    const bound = async () => {
      const rows = await ledgerSql(world.ledgerUrl, 'select system_identifier as id from sources');
      return rows[0]?.id;
    };
    /** Until the test is over. */
    const change = async (sql: string, back: string, values: unknown[]) => {
      await world.lamassu.query(sql, values);
      onTestFinished(async () => {
        await world.lamassu.query(back, values);
      });
    };

    test('is refused, with the command that accepts it', async () => {
      for (const command of [['poll'], ['doctor']]) {
        const { code, stdout, stderr } = await world.aioDca(command);
        const said = (stdout + stderr).replaceAll(/\s+/g, ' ');
        expect(code).toBe(78);
        expect(said).toContain('If PostgreSQL was upgraded, restored or moved');
        expect(said).toContain(`aio-dca ledger source --accept ${is} --reason`);
      }
    });

    test('needs its own identity, a reason and a yes', async () => {
      const other = await world.aioDca(['ledger', 'source', '--accept', '42', '--reason', 'moved', '--yes']);
      expect(other).toMatchObject({ code: 64 });
      expect(other.stderr).toContain(`the database that is reached now is ${is}`);
      expect(await accept('--reason', ' ')).toMatchObject({ code: 64 });
      const asked = await accept();
      expect(asked).toMatchObject({ code: 64, stderr: expect.stringContaining('This asks first: All 3') });
      const compared = (await accept('--dry-run', '--json')).json();
      expect(compared).toEqual({
        ...{ source: 'lamassu', was: FORMER, is, cash_outs: 3, newest: ids[2] },
        newest_confirmed_at: expect.stringMatching(/Z$/),
        ...{ dry_run: true, accepted: false, digest: expect.any(String) },
      });
      expect(await bound()).toBe(FORMER);
    });

    test('is refused where something is not there', async () => {
      const away = '00000000-0000-4000-8000-00000000000';
      const hide = async (index: number) => {
        const [id, other] = [ids[index], `${away}${index}`];
        await change(
          `update cash_out_txs set id = $2 where id = $1`,
          `update cash_out_txs set id = $1 where id = $2`,
          [id, other],
        );
      };
      await hide(1);
      const one = await accept('--yes');
      expect(one).toMatchObject({ code: 78 });
      const said = one.stderr.replaceAll(/\s+/g, ' ');
      expect(said).toContain(`1 that the ledger distributed are not in it: ${ids[1]}`);
      await hide(2);
      const older = (await accept('--yes')).stderr.replaceAll(/\s+/g, ' ');
      expect(older).toContain(
        'this database is older than what the ledger has read: 2 that the ledger distributed from',
      );
      expect(older).toContain('Restore the newest one');
      expect(await bound()).toBe(FORMER);
    });

    test('is refused where something differs', async () => {
      await change(
        'update cash_out_txs set fiat = 8000 where id = $1',
        'update cash_out_txs set fiat = 4000 where id = $1',
        [ids[0]],
      );
      const different = await accept('--yes');
      expect(different).toMatchObject({ code: 78 });
      expect(different.stderr.replaceAll(/\s+/g, ' ')).toContain(
        `1 of them differ: ${ids[0]}: fiat was 4000.00000, is 8000.00000`,
      );
    });

    test('is refused where its log ends earlier', async () => {
      await ledgerSql(world.ledgerUrl, 'update sources set last_action = 1000');
      const older = await accept('--yes');
      expect(older).toMatchObject({ code: 78 });
      expect(older.stderr.replaceAll(/\s+/g, ' ')).toContain(
        'its cash_out_actions end at 0, and 1000 was there',
      );
      await ledgerSql(world.ledgerUrl, 'update sources set last_action = 0');
    });

    test('is bound once it was compared, and the log says so', async () => {
      const done = await accept('--yes', '--json');
      expect(done.json()).toMatchObject({ was: FORMER, is, cash_outs: 3, accepted: true });
      expect(await bound()).toBe(is);
      const log = (await world.must(['log', '--json'])).json<Record<string, unknown>[]>();
      expect(log).toContainEqual(
        expect.objectContaining({
          ...{ action: 'source accept', subject: 'source lamassu', reason: 'PostgreSQL 12 to 15' },
          ...{ before: { system_identifier: FORMER }, after: { system_identifier: is } },
        }),
      );
      const again = await accept('--yes');
      expect(again).toMatchObject({ code: 0 });
      expect(again.stdout).toContain(`is bound to PostgreSQL system ${is} already; nothing was written`);
      expect((await world.must(['poll', '--json'])).json()).toMatchObject({
        outcome: 'ok',
        source: { new: 0, already_processed: 3 },
      });
    });
  },
);

test('a ledger that has distributed nothing yet is bound; one that was never bound has nothing to accept', async () => {
  const world = await startWorld({ tunnel: 'direct' });
  onTestFinished(() => world.stop());
  await world.must(['migrate']);
  await world.addClient('alice');
  const [row] = await world.lamassu.query('select system_identifier::text as id from pg_control_system()');
  const command = ['ledger', 'source', '--accept', String(row?.id), '--reason', 'moved', '--yes'];
  const unbound = await world.aioDca(command);
  expect(unbound).toMatchObject({ code: 64 });
  expect(unbound.stderr).toContain('the ledger has read nothing of "lamassu" yet');
  await world.must(['poll']);
  await ledgerSql(world.ledgerUrl, `update sources set system_identifier = '${FORMER}'`);
  expect((await world.must(command)).stdout).toContain('The ledger has distributed nothing of it yet.');
  expect(await world.aioDca(['poll'])).toMatchObject({ code: 0 });
});
