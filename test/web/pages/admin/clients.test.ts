import { expect, test } from 'vitest';
import { Secret } from '../../../../src/config/secret.ts';
import { addClient } from '../../../../src/ledger/clients/changes.ts';
import { addFunding } from '../../../../src/ledger/fundings/fundings.ts';
import { OPERATOR } from '../../../../src/ledger/log/log.ts';
import { listClients, showClient } from '../../../../src/operations/clients.ts';
import { plus } from '../../../../src/time.ts';
import { adminSite, fieldsOf, figuresOf, HOSTILE } from '../../../support/admin-pages.ts';
import { bootless, now } from '../../../support/clock.ts';
import { perform } from '../../../support/operations.ts';
import { operator } from '../../../support/principals.ts';
import { personSession, type TestSite } from '../../../support/site.ts';
import { plain } from '../../../support/visit.ts';

/* Clients on the admin site. */

const DAY_MS = 86_400_000;
const who = { principal: OPERATOR, actor: 'dora', run: null, clock: bootless };

const asOperator = ({ ledger, config }: TestSite) => ({
  ...{
    principal: operator,
    clock: ledger.clock,
    actor: 'dora',
    reason: undefined,
    config: async () => config,
  },
  ...{ withLedger: <T>(_use: unknown, work: (own: typeof ledger) => Promise<T>) => work(ledger) },
  stopSignal: () => AbortSignal.any([]),
});

test('list and summary have the figures of the ledger; the list is searched by name', async () => {
  const site = await adminSite();
  const { page } = site;
  const all = await perform(listClients, asOperator(site), {});
  const list = figuresOf(await page('/clients'));
  for (const { balances, metrics } of all) {
    for (const { remaining, currency } of balances) expect(list).toContain(`${remaining} ${currency}`);
    for (const { sats_stacked: sats } of Object.values(metrics)) expect(list).toContain(`${sats}`);
  }
  const found = await page('/clients?q=ALI');
  expect(found.text).toContain('href="/clients/alice"');
  expect(found.text).not.toContain('href="/clients/bob"');
  expect((await page('/clients?q=nobody')).text).toContain('No client fits');
  const alice = await perform(showClient, asOperator(site), { name: 'alice' });
  const summary = figuresOf(await page('/clients/alice'));
  for (const { sats } of alice.waits) expect(summary).toContain(`${sats}`);
  expect(summary).toContain(`${alice.balances[0]?.remaining} USD`);
});

test('clients, their statements and their cash are on pages: each once, whatever the number', async () => {
  const site = await adminSite();
  const { page, ledger } = site;
  const session = await personSession(ledger, 'owner');
  const add = async (name: string, isInside: boolean) => {
    const act = { ...who, at: plus(now(), -DAY_MS) };
    const wallet = { id: `wallet of ${name}`, key: new Secret(name) };
    const amount = { minor: 10_000n, currency: 'USD', digits: 2 };
    const cash = { client: name, amount, machine: 'm', rate: null, past: 'leave' as const };
    await ledger.write(async (trx) => {
      await addClient(trx, act, { name, wallet, mode: 'flow', limits: [] });
      await addFunding(trx, act, { ...cash, depositedAt: isInside ? act.at : null });
    });
  };
  const names = Array.from({ length: 60 }, (_, n) => `client-${n}`);
  for (const [n, name] of names.entries()) await add(name, n % 2 === 0);
  const walked = async (path: string, link: RegExp) => {
    const found: string[] = [];
    for (let at: string | undefined = path; at !== undefined; ) {
      const { text, status } = await page(at);
      expect([at, status]).toEqual([at, 200]);
      const main = text.slice(text.indexOf('<main'));
      found.push(...[...main.matchAll(link)].map(([, one = '']) => plain(decodeURIComponent(one))));
      at = /rel="next" href="([^"]*)"/.exec(main)?.[1]?.replaceAll('&amp;', '&');
    }
    return found;
  };
  const rowOf = /<th scope="row"[^>]*><a href="\/(?:clients|fundings)\/([^"/]*)"/g;
  const all = (await perform(listClients, asOperator(site), {})).map(({ name }) => name);
  expect(await walked('/clients', rowOf)).toEqual(all);
  expect((await walked('/reports', rowOf)).filter((name) => all.includes(name))).toEqual(all);
  const rows: string[] = [];
  for (let path: string | undefined = '/api/v1/clients?limit=25'; path !== undefined; ) {
    const { json, headers } = await site.ask(path, { session });
    rows.push(...json.map(({ name }: { name: string }) => name));
    path = /<([^>]*)>/.exec(headers.get('link') ?? '')?.[1];
  }
  expect(rows).toEqual(all);
  const fundings = (await ledger.db.selectFrom('fundings').select('id').execute()).map(({ id }) => `f${id}`);
  const shown = await walked('/fundings', rowOf);
  expect([shown.length, new Set(shown)]).toEqual([fundings.length, new Set(fundings)]);
});

test('settings change what was typed otherwise, once it was agreed to', async () => {
  const site = await adminSite();
  const { page, send } = site;
  const first = fieldsOf(await page('/clients/alice/settings'));
  expect(first).toMatchObject({ daily_USD: '500.00', max_USD: '800.00' });
  const asked = await send('/clients/alice/settings', { ...first, daily_USD: '600' });
  expect([asked.text.includes('500.00'), asked.text.includes('600')]).toEqual([true, true]);
  const done = await send('/clients/alice/settings', { ...fieldsOf(asked), step: 'apply' });
  expect(done.headers.get('location')).toBe('/clients/alice?done=set');
  expect(await perform(showClient, asOperator(site), { name: 'alice' })).toMatchObject({
    ...{ mode: 'flow', daily_limits: { USD: '600.00' }, max_daily_limits: { USD: '800.00' } },
  });
});

test('settings that somebody else changed meanwhile are shown before anything is written', async () => {
  const site = await adminSite();
  const { page, send } = site;
  const mine = fieldsOf(await page('/clients/alice/settings'));
  const other = await send('/clients/alice/settings', { ...mine, daily_USD: '700' });
  expect((await send('/clients/alice/settings', { ...fieldsOf(other), step: 'apply' })).status).toBe(303);
  const late = await send('/clients/alice/settings', { ...mine, daily_USD: '600', step: 'apply' });
  expect(late.text).toContain('It changed while you looked');
  expect(late.text).toContain('700.00');
  expect(await perform(showClient, asOperator(site), { name: 'alice' })).toMatchObject({
    daily_limits: { USD: '700.00' },
  });
  expect((await send('/clients/alice/settings', { ...fieldsOf(late), step: 'apply' })).status).toBe(303);
});

test.each([
  { name: 'a limit in words', change: { daily_USD: 'much' }, at: 'daily_USD' },
  { name: 'a limit above its maximum', change: { daily_USD: '900' }, at: 'daily_USD' },
])('$name comes back at its field', async ({ change, at }) => {
  const { page, send } = await adminSite();
  const first = fieldsOf(await page('/clients/alice/settings'));
  const answer = await send('/clients/alice/settings', { ...first, ...change, step: 'apply' });
  expect([answer.status, answer.text.includes(`id="field-${at}-error"`)]).toEqual([422, true]);
  expect(answer.text).toContain(`value="${Object.values(change)[0]}"`);
});

test('a key that cannot be tested is in no page, and what else was typed stays', async () => {
  const { send } = await adminSite();
  const fields = {
    name: 'dan',
    wallet_key: 'not-to-be-seen',
    mode: 'flow',
    daily_limit: '5,00',
    currency: 'USD',
  };
  const answer = await send('/add-client', fields);
  expect(answer.status).toBe(422);
  expect(answer.text).toContain('id="field-daily_limit-error"');
  expect(answer.text).toContain('value="dan"');
  expect(answer.text).not.toContain('not-to-be-seen');
  expect((await send('/add-client', { ...fields, name: HOSTILE })).text).toContain('id="field-name-error"');
});

test('a client is paused and resumed, each with the way back', async () => {
  const { page, send } = await adminSite();
  const paused = await send('/clients/bob/pause', { reason: HOSTILE });
  expect(paused.headers.get('location')).toBe('/clients/bob?done=paused');
  const shown = await page('/clients/bob?done=paused');
  expect(shown.text).toContain('href="/clients/bob/resume"');
  expect((await send('/clients/bob/resume', {})).headers.get('location')).toBe('/clients/bob?done=resumed');
  // Cash is left, so it stays open.
  expect((await send('/clients/bob/close', {})).status).toBe(422);
});

test('a link is shown once, as a link, a picture and a code', async () => {
  const { page, send } = await adminSite();
  const made = await send('/clients/alice/access', {});
  expect(made.status).toBe(200);
  expect(made.headers.get('cache-control')).toContain('no-store');
  expect(made.text).toMatch(/https:\/\/dca\.example\.org\/welcome#[\w-]{20,}/);
  expect(made.text).toContain('<svg');
  expect((await page('/clients/alice/access')).text).not.toContain('welcome#');
});
