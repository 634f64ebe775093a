import stringWidth from 'string-width';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { groupDigits, sum } from '../../src/dca/money.ts';
import { inTerminal } from '../support/terminal.ts';
import { startWorld, type World } from '../support/world.ts';

const ONE = '3f0c5e10-0000-4000-8000-000000000001';
const TWO = '3f0c5e20-0000-4000-8000-000000000002';

let world: World;

beforeAll(async () => {
  world = await startWorld({ tunnel: 'direct' });
  await world.must(['migrate']);
  await world.addClient('alice');
  await world.addClient('bob');
  await world.addFunding('alice', '3000 GTQ');
  await world.addFunding('bob', '2000 GTQ');
  const ago = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();
  await world.insertCashOut({ id: ONE, confirmed_at: ago(20) });
  await world.insertCashOut({ id: TWO, confirmed_at: ago(10) });
  await world.must(['poll']);
});
afterAll(async () => {
  await world.must(['verify']);
  await world.stop();
});

const show = async (id: string) => (await world.must(['cash-outs', 'show', id, '--json'])).json();

test('list has the newest first, without their division', async () => {
  const list = (await world.must(['cash-outs', 'list', '--json'])).json<Record<string, unknown>[]>();
  expect(list.map((one) => one.id)).toEqual([TWO, ONE]);
  expect(list[1]).toEqual({
    id: ONE,
    source: 'lamassu',
    machine: expect.any(String),
    confirmed_at: expect.any(String),
    processed_at: expect.any(String),
    fiat: '4000.00',
    currency: 'GTQ',
    gross_sats: 512_400,
    commission_sats: 28_193,
    net_sats: 484_207,
    own_sats: 0,
    undelivered_sats: 0,
    own_fiat: '0.00',
    commission_method: 'ticker',
    origin: 'lamassu',
    begun_at_machine: null,
    machine_name: expect.toSatisfy((name) => name === null || typeof name === 'string'),
    // 4,000.00 GTQ for 484,207 sat, and 28,193 sat at that price.
    price: '826092.97',
    commission_fiat: '232.90',
    begun_at_machine_name: null,
  });
  const page = await world.must(['cash-outs', 'list', '--limit', '1']);
  expect(page.stdout).toContain(TWO.slice(0, 8));
  expect(page.stdout).not.toContain(ONE.slice(0, 8));
  expect(page.stderr).toContain('The newest 1 of 2');
  for (const line of page.stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
});

test('list, show and exports agree, and the columns of the list add up', async () => {
  const list = (await world.must(['cash-outs', 'list', '--json'])).json<Shown[]>();
  const exported = (await world.must(['export', 'cash-outs', '--format', 'json'])).json<Shown[]>();
  const allocations = (await world.must(['export', 'allocations', '--format', 'json'])).json<Shown[]>();
  const inWorld = ['--config', world.configFile, 'cash-outs', 'list'];
  const { screen: page } = await inTerminal(inWorld, { columns: 80 }).ended;
  for (const one of list) {
    expect(one.gross_sats).toBe(one.net_sats + one.commission_sats + one.own_sats + one.undelivered_sats);
    const shown = (await world.must(['cash-outs', 'show', one.id, '--json'])).json<Detail>();
    expect(shown).toMatchObject(one);
    const figures = [
      'fiat',
      'gross_sats',
      'net_sats',
      'commission_sats',
      'price',
      'commission_fiat',
    ] as const;
    const picked = (row: Shown | undefined) => figures.map((name) => row?.[name]);
    expect(picked(exported.find(({ id }) => id === one.id))).toEqual(picked(one));
    const parts = allocations.filter((row) => row.cash_out === one.id);
    expect(parts.map(picked)).toEqual(shown.allocations.map(picked));
    const cents = (text: string) => BigInt(text.replace('.', ''));
    const worth = sum(shown.allocations.map((part) => cents(part.commission_fiat)));
    if (one.own_sats === 0) expect(worth).toBe(cents(one.commission_fiat));
    else expect(worth).toBeLessThan(cents(one.commission_fiat));

    const lines = page.split('\n');
    const row = lines[lines.findIndex((line) => line.includes(one.id.slice(0, 8))) - 1] ?? '';
    const sats = ['gross_sats', 'net_sats', 'commission_sats', 'own_sats'] as const;
    expect(
      row
        .split('│')
        .slice(3, 7)
        .map((cell) => cell.trim()),
    ).toEqual(sats.map((name) => groupDigits(BigInt(one[name]))));
  }
  for (const line of page.split('\n')) expect(stringWidth(line)).toBeLessThanOrEqual(80);
});

interface Shown {
  id: string;
  cash_out?: string;
  fiat: string;
  gross_sats: number;
  net_sats: number;
  commission_sats: number;
  own_sats: number;
  undelivered_sats: number;
  price: string;
  commission_fiat: string;
}

interface Detail extends Shown {
  allocations: Shown[];
}

test('show prints the division of one cash-out, to the last sat', async () => {
  expect(await show(ONE)).toMatchObject({
    allocations: [
      {
        client: 'alice',
        funding: 'f1',
        fiat: '2400.00',
        gross_sats: 307_440,
        commission_sats: 16_916,
        net_sats: 290_524,
        payout: 'p1',
      },
      {
        client: 'bob',
        funding: 'f2',
        fiat: '1600.00',
        gross_sats: 204_960,
        commission_sats: 11_277,
        net_sats: 193_683,
        payout: 'p2',
      },
    ],
  });
  // Only 1000 GTQ of the clients were left.
  expect(await show(TWO)).toMatchObject({ fiat: '4000.00', own_fiat: '3000.00', own_sats: 363_155 });
  const page = (await world.must(['cash-outs', 'show', TWO])).stdout;
  expect(page).toMatch(/│ own share +│/);
  expect(page).toMatch(/^Own share: no client had cash left there\.$/m);
  expect(page).toContain('3,000.00 GTQ');
  for (const line of page.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
});

test('the beginning of an id is enough if it is unambiguous', async () => {
  expect(await show('3f0c5e1')).toMatchObject({ id: ONE });
  const refused: [text: string, says: string][] = [
    ['3f0c5e', `could be ${ONE}, ${TWO}`],
    ['3f0c5', 'too short'],
    ['3f0c5e3', 'there is no cash-out'],
    ['%%%%%%', 'there is no cash-out'],
  ];
  for (const [text, says] of refused) {
    const ran = await world.aioDca(['cash-outs', 'show', text]);
    expect(ran.code).toBe(64);
    expect(ran.stderr).toContain(says);
  }
});
