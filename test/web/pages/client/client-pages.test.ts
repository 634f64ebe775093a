import { expect, test } from 'vitest';
import type { Ledger } from '../../../../src/ledger/store/open.ts';
import { verifyLedger } from '../../../../src/ledger/verify/verify.ts';
import { showClient } from '../../../../src/operations/clients.ts';
import { listAllFundings } from '../../../../src/operations/fundings.ts';
import { pausePayouts } from '../../../../src/operations/payouts.ts';
import { listPurchases, sumPurchases } from '../../../../src/operations/purchases.ts';
import { showStatement } from '../../../../src/operations/statements.ts';
import { clientPages } from '../../../../src/web/pages/client/client-pages.ts';
import { clientScene } from '../../../support/client-scene.ts';
import { now } from '../../../support/clock.ts';
import { freshLedger } from '../../../support/ledgers.ts';
import { perform, sessionOn } from '../../../support/operations.ts';
import { type Asked, CLIENT, clientSession, type TestSite, testSite } from '../../../support/site.ts';
import { plain } from '../../../support/visit.ts';

/* The client site as a client sees it, asked as a browser without scripts does. */

const HTML = { accept: 'text/html,application/xhtml+xml' };

interface Visit {
  site: TestSite;
  ledger: Ledger;
  session: string;
  get(
    path: string,
    headers?: Record<string, string>,
  ): Promise<{ status: number; text: string; location: string | null }>;
  post(path: string, words: Record<string, string>): ReturnType<Visit['get']>;
}

async function visit(ledger: Ledger, name: string): Promise<Visit> {
  const site = testSite(ledger, 'client');
  const session = await clientSession(ledger, name);
  const ask = async (path: string, asked: Asked) => {
    const { status, text, headers } = await site.ask(path, { session, ...asked });
    return { status, text, location: headers.get('location') };
  };
  return {
    ...{ site, ledger, session },
    get: (path, headers = {}) => ask(path, { headers: { ...HTML, ...headers } }),
    post: (path, words) =>
      ask(path, {
        ...{ method: 'POST', body: new URLSearchParams(words).toString() },
        headers: { ...HTML, 'content-type': 'application/x-www-form-urlencoded' },
      }),
  };
}

async function alice(): Promise<Visit> {
  const ledger = await freshLedger('sqlite');
  await clientScene(ledger, now(), { days: 12 });
  return visit(ledger, 'alice');
}

const operator = (ledger: Ledger) => sessionOn(ledger, { principal: { kind: 'operator' } });

/** The amounts of a page: as programs read them, and as people do. */
function figuresOf(html: string): { value: string; shown: string }[] {
  return [...html.matchAll(/<data class="num" value="([^"]+)">([^<]+)<\/data>/g)].map(
    ([, value = '', shown = '']) => ({ value, shown }),
  );
}

/** What people read, as programs write it. */
function plainFigure(shown: string): string {
  return shown
    .replaceAll(/[^\d.,−]/g, '')
    .replaceAll(',', '')
    .replace('−', '-');
}

const LANGUAGES = [{ 'accept-language': 'en-GB,en;q=0.9' }, { 'accept-language': 'es-GT,es;q=0.9,en;q=0.5' }];

const PATHS = [
  ...['/', '/?range=30', '/?range=all', '/purchases', '/purchases?state=waiting', '/purchases/cash-out%201'],
  ...['/cash', '/cash/f1', '/cash/f3', '/settings', '/settings/mode', '/settings/pause', '/settings/resume'],
  ...['/statement', '/welcome/in', '/if-added', '/if-added?added=1,000'],
];

test('each figure is shown as it is, in both languages alike', async () => {
  const { get } = await alice();
  for (const path of PATHS) {
    const pages = await Promise.all(LANGUAGES.map((headers) => get(path, headers)));
    const figures = pages.map(({ text }) => figuresOf(text));
    expect([path, figures[0]?.map(({ value }) => value)]).toEqual([
      path,
      figures[1]?.map(({ value }) => value),
    ]);
    for (const { value, shown } of figures.flat()) {
      expect([path, plainFigure(shown)]).toEqual([path, value.replace(/ [A-Z]{3}$/, '')]);
    }
    expect(pages.map(({ status }) => status)).toEqual([200, 200]);
    expect(pages[0]?.text).toContain('<html lang="en"');
    expect(pages[1]?.text).toContain('<html lang="es"');
  }
});

test('the figures are those of the ledger', async () => {
  const { ledger, get } = await alice();
  const values = async (path: string) => figuresOf((await get(path)).text).map(({ value }) => value);
  const { metrics, balances } = await perform(showClient, operator(ledger), { name: 'alice' });
  const { GTQ: own } = metrics;
  const home = await values('/');
  expect(home.slice(0, 3)).toEqual([
    `${own?.sats_stacked}`,
    `${own?.fiat_spent} GTQ`,
    `${own?.average_rate} GTQ`,
  ]);
  expect(home).toEqual(
    expect.arrayContaining([
      ...[`${balances[0]?.remaining} GTQ`, `${balances[0]?.in_flight} GTQ`, `${own?.waiting_sats}`],
    ]),
  );
  expect(own?.waiting_sats).toBeGreaterThan(0n);

  const { rows } = await perform(listPurchases, operator(ledger), { client: 'alice' });
  const sums = await perform(sumPurchases, operator(ledger), { client: 'alice' });
  const listed = await values('/purchases');
  expect(rows.length).toBeGreaterThan(4);
  for (const one of [...rows, ...sums])
    expect(listed).toEqual(expect.arrayContaining([`${one.fiat} GTQ`, `${one.net_sats}`]));
  for (const one of rows) {
    const shown = await values(`/purchases/${encodeURIComponent(one.id)}`);
    expect(shown.slice(0, 5)).toEqual([
      ...[
        `${one.fiat} GTQ`,
        `${one.gross_sats}`,
        `${one.commission_sats}`,
        `${one.net_sats}`,
        `${one.price} GTQ`,
      ],
    ]);
    expect(one.net_sats).toBe(one.gross_sats - one.commission_sats);
  }

  for (const one of await perform(listAllFundings, operator(ledger), { client: 'alice' })) {
    const shown = await values(`/cash/${one.id}`);
    expect(shown).toEqual(expect.arrayContaining([`${one.remaining} GTQ`, `${one.amount} GTQ`]));
  }

  const month = sums.at(-1)?.of ?? '';
  const statement = await perform(showStatement, operator(ledger), { name: 'alice', month });
  const [account] = statement.currencies;
  const printed = await values(`/statement/${month}`);
  const { opening, added, withdrawn, spent, closing } = account?.cash ?? {};
  expect(printed.slice(0, 5)).toEqual([opening, added, withdrawn, spent, closing].map((one) => `${one} GTQ`));
  expect(printed).toEqual(
    expect.arrayContaining([`${account?.totals.net_sats}`, `${account?.sats.closing}`]),
  );
  // A year is its months.
  const year = await values(`/statement/${month.slice(0, 4)}`);
  const bought = sums
    .filter(({ of }) => of.startsWith(month.slice(0, 4)))
    .reduce((all, one) => all + one.net_sats, 0n);
  expect(year).toContain(`${bought}`);
  expect((await verifyLedger(ledger)).differences).toEqual([]);
});

test('hidden amounts are in no page', async () => {
  const { site, session } = await alice();
  const answer = await site.ask('/preferences', {
    ...{ method: 'POST', session, body: 'hidden=yes&next=%2Fcash' },
    headers: { ...HTML, 'content-type': 'application/x-www-form-urlencoded' },
  });
  expect([answer.status, answer.headers.get('location')]).toEqual([303, '/cash']);
  const [cookie = ''] = (answer.headers.get('set-cookie') ?? '').split(';');
  const { text: shown } = await site.ask('/', { session, headers: HTML });
  const own = `__Host-aio-dca-client=${session}`;
  const { text } = await site.ask('/', { headers: { ...HTML, cookie: `${own}; ${cookie}` } });
  expect(text).toContain('•••');
  const amounts = figuresOf(shown).map((one) => one.shown);
  expect(amounts.length).toBeGreaterThan(10);
  // Short ones are also elsewhere in a page.
  for (const amount of amounts.filter(({ length }) => length > 4)) expect(text).not.toContain(amount);
});

test('mode and limit: the preview first, then the change, once', async () => {
  const { ledger, get, post } = await alice();
  const { text: before } = await get('/settings/mode');
  expect(before).toContain('name="limit-GTQ"');
  // Bad words come back with the error at their field.
  for (const [limit, status] of [
    ['5,00', 422],
    ['3.000,50', 422],
    ['-1', 422],
    ['ten', 422],
  ] as const) {
    const answer = await post('/settings/mode', { mode: 'fixed', 'limit-GTQ': limit });
    expect([limit, answer.status]).toEqual([limit, status]);
    expect(answer.text).toContain(`value="${limit}"`);
    expect(answer.text).toMatch(/id="field-limit-GTQ"[^>]*aria-invalid="true"/);
  }
  const agreed = await post('/settings/mode', { mode: 'fixed', 'limit-GTQ': '1,250.50' });
  expect([agreed.status, agreed.text.includes('1,250.50')]).toEqual([200, true]);
  const settings = async () => {
    const { mode, daily_limits: limits } = await perform(showClient, operator(ledger), { name: 'alice' });
    return { mode, limits };
  };
  expect(await settings()).toEqual({ mode: 'flow', limits: {} });
  const hidden = Object.fromEntries(
    [...agreed.text.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)">/g)].map(
      ([, name = '', value = '']) => [name, value],
    ),
  );
  const sent = { mode: 'fixed', 'limit-GTQ': '1,250.50', key: hidden.key ?? '', step: 'apply' };
  const done = await post('/settings/mode', sent);
  expect([done.status, done.location]).toEqual([303, '/settings?done=changed']);
  expect(await settings()).toEqual({ mode: 'fixed', limits: { GTQ: '1250.50' } });
  // A second tap is the same request.
  const changes = await ledger.db.selectFrom('client_settings').select('id').execute();
  expect((await post('/settings/mode', sent)).status).toBe(303);
  expect(await ledger.db.selectFrom('client_settings').select('id').execute()).toEqual(changes);
  const logged = await ledger.db
    .selectFrom('log')
    .select('actor')
    .where('action', '=', 'client set')
    .execute();
  expect(new Set(logged.map(({ actor }) => actor))).toEqual(new Set(['client:alice']));
  expect((await get('/settings?done=changed')).text).toMatch(/role="status"[\s\S]*1,250\.50/);
});

test('a second tab is told what changed while it was open, and loses nothing', async () => {
  const { ledger, get, post } = await alice();
  const seenIn = ({ text }: { text: string }) => ({
    seen: plain(/name="seen" value="([^"]*)"/.exec(text)?.[1] ?? ''),
  });
  const [mode, pause] = [seenIn(await get('/settings/mode')), seenIn(await get('/settings/pause'))];
  expect(mode.seen).not.toBe('');
  const first = { mode: 'fixed', 'limit-GTQ': '500', step: 'apply' };
  expect((await post('/settings/mode', { ...first, ...mode })).status).toBe(303);
  const second = await post('/settings/mode', { ...mode, mode: 'flow', 'limit-GTQ': '700', step: 'apply' });
  expect(second.status).toBe(200);
  expect(second.text).toContain('role="alert"');
  expect(second.text).toMatch(/500\.00 → <strong>[^<]*700</);
  const paused = await post('/settings/pause', pause);
  expect(paused.status).toBe(412);
  const { mode: kept, status } = await perform(showClient, operator(ledger), { name: 'alice' });
  expect([kept, status]).toEqual(['fixed', 'active']);
  // Agreed to as it is now, it is done.
  const again = { ...seenIn(second), mode: 'flow', 'limit-GTQ': '700', step: 'apply' };
  expect((await post('/settings/mode', again)).status).toBe(303);
  expect((await post('/settings/pause', seenIn(await get('/settings/pause')))).status).toBe(303);
});

test('home says that all paying is stopped, or that a payout is held, with the sats that wait', async () => {
  const { ledger, get } = await alice();
  const act = { ...operator(ledger), actor: 'dora', reason: 'the wallet moves' };
  await perform(pausePayouts, act, {});
  const { waits } = await perform(showClient, operator(ledger), { name: 'alice' });
  const sats = waits.filter(({ reason }) => reason === 'paused').reduce((all, one) => all + one.sats, 0n);
  expect(sats).toBeGreaterThan(0n);
  const written = new Intl.NumberFormat('en').format(sats);
  expect((await get('/')).text).toContain(`All paying is stopped for now. ${written} sats wait`);
  const spanish = (await get('/', { 'accept-language': 'es' })).text;
  expect(spanish).toContain(`Todos los pagos están detenidos por ahora. Le esperan ${written} sats`);
  // Why is the operator's.
  expect(spanish).not.toMatch(/dora|the wallet moves/);
});

test('pause and resume, sessions, and an unknown word of what was done', async () => {
  const { ledger, get, post } = await alice();
  expect((await post('/settings/pause', {})).location).toBe('/settings?done=paused');
  const status = async () => (await perform(showClient, operator(ledger), { name: 'alice' })).status;
  expect(await status()).toBe('paused');
  expect((await get('/')).text).toContain('/settings/resume');
  expect((await post('/settings/resume', {})).location).toBe('/settings?done=resumed');
  expect(await status()).toBe('active');
  expect((await get('/settings?done=__proto__')).text).not.toContain('notice good');
  expect((await post('/settings/sessions/end', {})).location).toBe('/settings?done=ended');
  expect(await get('/settings')).toMatchObject({ status: 303, location: '/sign-in?next=%2Fsettings' });
});

test('to a client nothing of another exists, on any page', async () => {
  const { ledger, get, post } = await alice();
  const bobs = await ledger.db
    .selectFrom('fundings')
    .innerJoin('recipients', 'recipients.id', 'fundings.client_id')
    .select('fundings.id')
    .where('name', '=', 'bob')
    .execute();
  for (const { id } of bobs) expect((await get(`/cash/f${id}`)).status).toBe(404);
  expect((await get('/purchases/nothing')).status).toBe(404);
  for (const path of PATHS) expect((await get(path)).text).not.toMatch(/\bbob\b/);
  expect((await post('/settings/pause', { name: 'bob' })).status).toBe(303);
  const statuses = ['alice', 'bob'].map((name) => perform(showClient, operator(ledger), { name }));
  expect((await Promise.all(statuses)).map(({ status }) => status)).toEqual(['paused', 'active']);
  const { text } = await get('/export?kind=allocations&format=json&client=bob');
  expect(text).not.toContain('bob');
});

const HOSTILE = `<script>alert(1)</script>"'&<img src=x onerror=y>`;

test('hostile names and words are text on every page', async () => {
  const { ledger, get, post } = await alice();
  await ledger.db.updateTable('machines').set({ name: HOSTILE }).execute();
  const paths = [
    ...PATHS,
    ...['/settings/mode', '/if-added', '/purchases', '/'].flatMap((path) =>
      ['mode', 'added', 'month', 'after', 'range', 'done', 'limit-GTQ'].map(
        (name) => `${path}?${new URLSearchParams({ [name]: HOSTILE })}`,
      ),
    ),
    `/nothing/${encodeURIComponent(HOSTILE)}`,
    `/statement/${encodeURIComponent(HOSTILE)}`,
    `/purchases/${encodeURIComponent(HOSTILE)}`,
  ];
  for (const path of paths) {
    const { text, status } = await get(path);
    expect([path, status < 500]).toEqual([path, true]);
    expect([path, /<script>|<img|onerror=y>|\sstyle=|<script(?![^>]* src=)/.test(text)]).toEqual([
      path,
      false,
    ]);
  }
  const answer = await post('/settings/mode', { mode: HOSTILE, 'limit-GTQ': HOSTILE, [HOSTILE]: HOSTILE });
  expect(answer.text).not.toMatch(/<script>|<img/);
});

test('a client without cash, and one whose cash is on its way, are told what comes', async () => {
  const ledger = await freshLedger('sqlite');
  const at = now();
  const { book } = await clientScene(ledger, at, { days: 4 });
  await book.client('carla', { mode: 'flow' }, at);
  const carla = await visit(ledger, 'carla');
  expect((await carla.get('/')).text).toContain('class="empty"');
  for (const path of ['/purchases', '/cash', '/statement', '/if-added'])
    expect((await carla.get(path)).status).toBe(200);
  await book.cash('carla', 0, at, {
    amount: { minor: 300_000n, currency: 'GTQ', digits: 2 },
    depositedAt: null,
  });
  expect((await carla.get('/')).text).toContain('Q\u00a03,000.00');
});

test('files: spreadsheets, and programs for tax and books', async () => {
  const { site, session } = await alice();
  const kinds = { csv: 'allocations.csv', koinly: 'allocations.koinly.csv', hledger: 'allocations.journal' };
  for (const [format, file] of Object.entries(kinds)) {
    const answer = await site.ask(`/export?kind=allocations&format=${format}&month=`, {
      session,
      headers: HTML,
    });
    expect([format, answer.status, answer.headers.get('content-disposition')]).toEqual([
      ...[format, 200, `attachment; filename="${file}"`],
    ]);
  }
  const refused = await site.ask('/export?kind=fundings&format=koinly', { session, headers: HTML });
  expect(refused.status).toBe(422);
});

test('nobody gets a page without a sign-in, and every page needs no script', async () => {
  const { site, get } = await alice();
  for (const { method, path, open } of clientPages) {
    if (open || method !== 'GET') continue;
    const { status, headers } = await site.ask(path.replaceAll(/:\w+/g, 'x'), { headers: HTML });
    expect([path, status, headers.get('location')?.startsWith('/sign-in?next=')]).toEqual([path, 303, true]);
  }
  for (const path of PATHS) {
    const { text } = await get(path);
    expect(text).not.toMatch(/ on\w+="|javascript:|https?:\/\//);
    for (const [, target = ''] of text.matchAll(/(?:href|action)="([^"]*)"/g))
      expect(target).toMatch(/^[/#]/);
    expect([path, text.match(/<h1>/g)?.length]).toEqual([path, 1]);
  }
  expect(CLIENT).toMatch(/^https:/);
});
