import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { Secret } from '../../src/config/secret.ts';
import { LnbitsClient, type LnbitsOptions } from '../../src/lnbits/wallet-client.ts';
import { systemClock } from '../../src/time.ts';
import { testClock } from '../support/clock.ts';
import { type Fault, type LnbitsSimulator, startLnbitsSimulator } from '../support/lnbits-simulator.ts';

const HASH = 'ab'.repeat(32);
const KEY = new Secret('0123456789abcdef0123456789abcdef');
const FAST = { backoffMs: 1 };
const IMPATIENT = { deadlineMs: 1_000, payDeadlineMs: 1_000 };
const HTML = { headers: { 'content-type': 'text/html' }, body: '<html>Not here</html>' };

let lnbits: LnbitsSimulator;
let client: LnbitsClient;
let admin: Secret;
let bolt11: string;

beforeEach(async () => {
  lnbits = await startLnbitsSimulator();
  client = new LnbitsClient({ url: lnbits.url, ...FAST }, systemClock);
  const source = await lnbits.createUserWallet('source');
  const alice = await lnbits.createUserWallet('Alice');
  await lnbits.topUp(source.id, 1000n);
  admin = new Secret(source.adminkey);
  bolt11 = (await invoice(new Secret(alice.inkey))).bolt11;
  lnbits.clearLog();
});
afterEach(async () => {
  lnbits.release();
  await client.close();
  await lnbits.stop();
});

const invoice = (key: Secret) =>
  client.createInvoice(key, { sats: 100n, memo: 'Sats', expirySeconds: 60, extra: { tag: 'aio-dca' } });
const pay = () => client.pay(admin, { bolt11, extra: {} });
const failWith = (fault: Fault, times = 100) => {
  lnbits.rules = [{ when: {}, times, fault }];
};

/** A client of a server that answers each request as configured. */
async function clientOf(
  answer: RequestListener,
  options: Partial<LnbitsOptions> = {},
  path = '',
): Promise<LnbitsClient> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`;
  const made = new LnbitsClient({ url, ...FAST, ...options }, systemClock);
  onTestFinished(async () => {
    await made.close();
    server.closeAllConnections();
    server.close();
  });
  return made;
}
const json =
  (body: unknown, status = 200): RequestListener =>
  (_, response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };

/** Each way to fail, the code it ends in, and whether asking again may help. */
const failures: [string, Fault, string, boolean][] = [
  ['a reset before it is handled', { at: 'before', do: 'reset' }, 'lnbits/unreachable', true],
  ['a reset after it was handled', { at: 'after', do: 'reset' }, 'lnbits/unreachable', true],
  ['no answer', { at: 'before', do: 'hang' }, 'lnbits/unreachable', true],
  ['half an answer', { at: 'after', do: 'cut' }, 'lnbits/unreachable', true],
  ['status 500', answer({ status: 500, body: { detail: 'Unexpected error!' } }), 'lnbits/unreachable', true],
  ['a proxy without LNbits', answer({ status: 502, ...HTML }), 'lnbits/unreachable', true],
  ['a page with status 200', answer({ status: 200, ...HTML }), 'lnbits/unreachable', true],
  ['a page with status 503', answer({ status: 503, ...HTML }), 'lnbits/unreachable', true],
  ['a page with status 504', answer({ status: 504, ...HTML }), 'lnbits/unreachable', true],
  ['a page with status 401', answer({ status: 401, ...HTML }), 'lnbits/proxy', false],
  ['a page with status 403', answer({ status: 403, ...HTML }), 'lnbits/proxy', false],
  ['a page with status 407', answer({ status: 407, ...HTML }), 'lnbits/proxy', false],
  [
    'RFC 9457 of a proxy, of a key',
    answer({ status: 403, body: problem(403, 'Invalid key') }),
    'lnbits/proxy',
    false,
  ],
  [
    'RFC 9457 of a proxy, of a wallet',
    answer({ status: 404, body: problem(404, 'Wallet not found.') }),
    'lnbits/unreachable',
    true,
  ],
  [
    'RFC 9457 of a proxy, of a request',
    answer({ status: 400, body: problem(400, 'Bad request') }),
    'lnbits/unreachable',
    true,
  ],
  [
    'the key of a gateway',
    answer({ status: 401, body: { detail: 'Invalid API key' } }),
    'lnbits/proxy',
    false,
  ],
  [
    'the message of a gateway',
    answer({ status: 401, body: { message: 'No API key found in request' } }),
    'lnbits/proxy',
    false,
  ],
  ['a page with status 404', answer({ status: 404, ...HTML }), 'lnbits/unreachable', true],
  ['a page with status 520', answer({ status: 520, ...HTML }), 'lnbits/unreachable', true],
  ['another server', answer({ status: 404, body: { detail: 'Not Found' } }), 'lnbits/unreachable', true],
  ['a redirect', answer({ status: 307, headers: { location: '/' }, body: '' }), 'lnbits/redirect', false],
  ['garbage', answer({ status: 200, body: '{"name": ' }), 'lnbits/unreachable', true],
  ['another shape', answer({ status: 200, body: [] }), 'lnbits/unreachable', false],
  ['a refusal', answer({ status: 520, body: { detail: 'No.', status: 'failed' } }), 'lnbits/refused', false],
  ['a blocked address', answer({ status: 403, body: { detail: 'IP is blocked' } }), 'lnbits/proxy', false],
  ['an unknown key', answer({ status: 404, body: { detail: 'Wallet not found.' } }), 'lnbits/key', false],
];

/** What proxies and services answer by RFC 9457, Cloudflare among them. */
function problem(status: number, detail: string) {
  return { type: 'about:blank', title: 'Denied', status, detail, instance: '/x' };
}

function answer(said: { status: number; headers?: Record<string, string>; body: string | object }): Fault {
  return { at: 'before', answer: said };
}

describe.each(failures)('%s', (_, fault, code, again) => {
  beforeEach(async () => {
    if (!('do' in fault) || fault.do !== 'hang') return;
    await client.close();
    client = new LnbitsClient({ url: lnbits.url, ...FAST, ...IMPATIENT }, systemClock);
  });

  test(`of a GET is ${code}${again ? ' after three tries' : ''}`, async () => {
    failWith(fault);
    await expect(client.wallet(admin)).rejects.toMatchObject({ code });
    expect(lnbits.requests).toHaveLength(again ? 3 : 1);
  });

  test(`of a payment is ${code} after one request`, async () => {
    failWith(fault);
    await expect(pay()).rejects.toMatchObject({ code });
    expect(lnbits.requests).toHaveLength(1);
  });

  test('of an invoice, too', async () => {
    failWith(fault);
    await expect(invoice(admin)).rejects.toMatchObject({ code });
    expect(lnbits.requests).toHaveLength(1);
  });
});

test('a GET that fails twice succeeds at the third try', async () => {
  failWith({ at: 'before', do: 'reset' }, 2);
  expect(await client.wallet(admin)).toMatchObject({ name: 'source' });
});

test('nobody listening is unreachable, and the message has the address without user and password', async () => {
  await lnbits.stop();
  const elsewhere = new LnbitsClient(
    {
      url: lnbits.url.replace('//', '//user:hunter2@'),
      ...FAST,
    },
    systemClock,
  );
  const error = await elsewhere.wallet(admin).catch((caught: unknown) => caught);
  expect(error).toMatchObject({ code: 'lnbits/unreachable', message: expect.stringContaining(lnbits.url) });
  expect(error).toMatchObject({ message: expect.stringContaining('ECONNREFUSED') });
  expect(String(error)).not.toContain('hunter2');
  await elsewhere.close();
});

test('an answer whose body never ends fails at the deadline', async () => {
  const stuck = await clientOf((_, response) => response.writeHead(201).write('{'), IMPATIENT);
  const paid = stuck.pay(KEY, { bolt11, extra: {} });
  await expect(paid).rejects.toMatchObject({
    code: 'lnbits/unreachable',
    message: expect.stringMatching(/within 1 s/),
  });
});

test.each<[string, RequestListener, RegExp]>([
  [
    'where a redirect leads to',
    (_, response) => response.writeHead(301, { location: 'https://lnbits.example.org/api/v1/wallet' }).end(),
    /redirects to https:\/\/lnbits\.example\.org\/api\/v1\/wallet \(status 301\)/,
  ],
  [
    'the title of a page',
    (_, response) => response.writeHead(503).end('<html><title>503 Temporarily\nUnavailable</title></html>'),
    /status 503 and no JSON, but a page “503 Temporarily Unavailable”/,
  ],
  [
    'the title of a page that is no error',
    (_, response) => response.end('<html><title>Welcome to nginx!</title></html>'),
    /status 200 and no JSON, but a page “Welcome to nginx!”/,
  ],
  ['that the other side hung up', (request) => void request.socket.end(), /other side closed/],
  ['what a proxy says', json(problem(502, 'The origin is down'), 502), /status 502: The origin is down/],
  ['what a gateway says', json({ message: 'No API key found' }, 401), /status 401: No API key found/],
])('%s is told', async (_, listener, said) => {
  const elsewhere = await clientOf(listener);
  await expect(elsewhere.wallet(KEY)).rejects.toMatchObject({ message: expect.stringMatching(said) });
});

test.each([
  '<html><title>400 The plain HTTP request was sent to HTTPS port</title></html>',
  'Client sent an HTTP request to an HTTPS server.\n',
  "<p>Reason: You're speaking plain HTTP to an SSL-enabled server port.<br />",
])('a port that requires TLS, as %s says, is a mistake in the URL', async (page) => {
  const wanting = await clientOf((_, response) => response.writeHead(400).end(page));
  await expect(wanting.wallet(KEY)).rejects.toMatchObject({
    ...{ code: 'lnbits/tls', kind: 'misconfigured', hint: expect.stringContaining('https://') },
  });
});

test('an answer that is too large is not read', async () => {
  const large = await clientOf(json({ name: 'x'.repeat(20_000), balance: 0 }), { maxBytes: 10_000 });
  await expect(large.wallet(KEY)).rejects.toMatchObject({
    code: 'lnbits/unreachable',
    message: expect.stringMatching(/too large/),
  });
});

test('a URL with a path keeps it', async () => {
  const paths: (string | undefined)[] = [];
  const record: RequestListener = (request, response) => {
    paths.push(request.url);
    json({ name: 'Alice', balance: 0 })(request, response);
  };
  const base = await clientOf(record, {}, '/lnbits/');
  await base.wallet(KEY);
  expect(paths).toEqual(['/lnbits/api/v1/wallet']);
});

describe('a rate limit', () => {
  const limit = (retryAfter: string) =>
    answer({
      status: 429,
      headers: { 'retry-after': retryAfter },
      body: { error: 'Rate limit exceeded: 50 per 1 second' },
    });

  test('makes a GET wait as long as LNbits says', async () => {
    failWith(limit('1'), 1);
    const started = performance.now();
    expect(await client.wallet(admin)).toMatchObject({ name: 'source' });
    expect(performance.now() - started).toBeGreaterThan(950);
  });

  test('understands a date', async () => {
    failWith(limit(new Date(Date.now() - 5_000).toUTCString()), 1);
    expect(await client.wallet(admin)).toMatchObject({ name: 'source' });
  });

  test('fails a payment at once, and the next one unsent until the time is over', async () => {
    failWith(limit('3600'), 1);
    await expect(pay()).rejects.toMatchObject({ code: 'lnbits/rate-limited', retryAfterMs: 60_000 });
    await expect(pay()).rejects.toMatchObject({
      code: 'lnbits/rate-limited',
      message: expect.stringMatching(/not sent/),
    });
    expect(lnbits.requests).toHaveLength(1);
    expect(await client.wallet(admin)).toMatchObject({ name: 'source' });
  });

  test('holds a payment back, and does not send it if the process is suspended meanwhile', async () => {
    failWith(limit('1'), 1);
    const clock = testClock();
    const held = new LnbitsClient({ url: lnbits.url, ...FAST }, clock);
    onTestFinished(() => held.close());
    const paying = () => held.pay(admin, { bolt11, extra: {} });
    await expect(paying()).rejects.toMatchObject({ code: 'lnbits/rate-limited' });
    clock.meanwhile = () => {
      clock.ahead = 5_000;
    };
    await expect(paying()).rejects.toMatchObject({
      code: 'lnbits/rate-limited',
      message: expect.stringMatching(/not sent, because this process was suspended/),
    });
    expect(lnbits.requests).toHaveLength(1);
  });

  test('is learnt from the first 429, and kept from then on', async () => {
    const limited = await startLnbitsSimulator({ requestsPerSecond: 50 });
    onTestFinished(() => limited.stop());
    const paced = new LnbitsClient({ url: limited.url, ...FAST }, systemClock);
    onTestFinished(() => paced.close());
    const key = new Secret((await limited.createUserWallet('Alice')).inkey);
    await Promise.all(Array.from({ length: 51 }, () => paced.wallet(key)));
    for (let i = 51; i < 130; i += 1) await paced.wallet(key);
    expect(limited.requests).toHaveLength(131);
  });
});

describe('what LNbits says', () => {
  test('is shown without control characters, without the key, and short', async () => {
    const detail = `${KEY.reveal()}\u0007 said\r\n${'no '.repeat(200)}`;
    const rude = await clientOf(json({ detail }, 520));
    const error = await rude.wallet(KEY).catch((caught: unknown) => caught);
    expect(error).toMatchObject({
      code: 'lnbits/refused',
      message: expect.stringContaining('[redacted] said no no'),
    });
    expect((error as Error).message.length).toBeLessThan(350);
  });

  const bytes = [...Buffer.from(KEY.reveal())].map((byte) => `%${byte.toString(16)}`).join('');
  const basic = Buffer.from(`user:${KEY.reveal()}`).toString('base64');
  const to =
    (location: string): RequestListener =>
    (_, response) => {
      response.writeHead(307, { location }).end();
    };
  const page =
    (title: string): RequestListener =>
    (_, response) => {
      response.writeHead(502, { 'content-type': 'text/html' }).end(`<title>${title}</title>`);
    };
  test.each([
    ['where a redirect leads to', to(`/wallet/${bytes}`), 'redirects to /wallet/[redacted] (status 307)'],
    ['in upper hex digits', to(`/wallet/${bytes.toUpperCase()}`), 'to /wallet/[redacted] (status'],
    [
      'what a redirect asks',
      to(`https://a.example/login?key=${bytes}&session=1234`),
      'to https://a.example/login?… (status',
    ],
    [
      'whom a redirect logs in',
      to('https://op:hunter2@a.example/'),
      'to https://[redacted]@a.example/ (status',
    ],
    ['also without a scheme', to('//op:hunter2@a.example/'), 'to //[redacted]@a.example/ (status'],
    [
      'a header in Base64',
      json({ detail: `Authorization: Basic ${basic}` }, 520),
      'Authorization: Basic dXNlcj[redacted]',
    ],
    ['JSON in a page', page(JSON.stringify(JSON.stringify(KEY.reveal()))), '[redacted]'],
    ['the title of a page', page(`No ${KEY.reveal().toUpperCase()}`), 'a page “No [redacted]”'],
  ])('is shown without the key, however it is encoded: %s', async (_, handler, shown) => {
    const echo = await clientOf(handler);
    const error = await echo.wallet(KEY).catch((caught: Error) => caught);
    expect((error as Error).message).toContain(shown);
    expect((error as Error).message).not.toMatch(/hunter2|1234/);
  });

  test('of fields that were wrong is read from its list', async () => {
    const list = [
      { loc: ['body', 'amount'], msg: 'too small', input: 'SECRET' },
      { loc: ['body'], msg: 'wrong' },
    ];
    const picky = await clientOf(json({ detail: list }, 400));
    await expect(picky.wallet(KEY)).rejects.toMatchObject({
      message: expect.stringMatching(/refused: body amount too small; body wrong$/),
    });
  });
});

test.each(['', 'two words', 'line\nbreak', 'schlüssel'])(
  'the key %j is refused and never sent',
  async (key) => {
    await expect(client.wallet(new Secret(key))).rejects.toMatchObject({ code: 'lnbits/key' });
    expect(lnbits.requests).toHaveLength(0);
  },
);

describe('an LNbits older than 1.0', () => {
  test('is known by its version', async () => {
    const old = await clientOf(json({ info: { version: '0.12.12' } }));
    await expect(old.version()).rejects.toMatchObject({
      code: 'lnbits/version',
      message: expect.stringMatching(/0\.12\.12/),
    });
  });

  test('is known by an invoice without bolt11', async () => {
    const old = await clientOf(json({ payment_hash: HASH, payment_request: 'lnbc1', checking_id: 'x' }, 201));
    const made = old.createInvoice(KEY, { sats: 1n, memo: '', expirySeconds: 60, extra: {} });
    await expect(made).rejects.toMatchObject({ code: 'lnbits/version' });
  });
});

describe('amounts', () => {
  test('beyond what a JSON number holds exactly are not taken', async () => {
    const huge = await clientOf(json({ name: 'Alice', balance: 2 ** 53 }));
    await expect(huge.wallet(KEY)).rejects.toMatchObject({
      code: 'lnbits/unreachable',
      message: expect.stringMatching(/balance/),
    });
  });

  test('of an invoice are the ones asked for', async () => {
    const wrong = await clientOf(
      json({ payment_hash: HASH, bolt11: 'lnbc1', wallet_id: 'w', amount: 1001 }, 201),
    );
    const made = wrong.createInvoice(KEY, { sats: 1n, memo: '', expirySeconds: 60, extra: {} });
    await expect(made).rejects.toMatchObject({ code: 'lnbits/unreachable' });
  });
});

describe('a look-up', () => {
  const row = {
    payment_hash: HASH,
    wallet_id: 'w',
    amount: 1000,
    fee: 0,
    status: 'success',
    extra: null,
    time: 1_700_000_000,
  };
  const find = async (...data: object[]) => {
    const shown = await clientOf(json({ data, total: data.length }));
    return await shown.find(KEY, HASH);
  };

  test('reads the fields that are there and does without the rest', async () => {
    const time = '2023-11-14T22:13:20.000000Z';
    const seen = {
      hash: HASH,
      walletId: 'w',
      amountMsat: 1000n,
      feeMsat: 0n,
      isServiceFee: false,
      status: 'success',
      tag: null,
      extra: {},
    };
    expect(await find(row)).toEqual({ ...seen, bolt11: null, memo: null, time });
    expect(await find({ ...row, extra: { tag: 'aio-dca' } })).toMatchObject({ tag: 'aio-dca' });
  });

  test.each([
    ['2026-11-20T10:00:00.123456+00:00', '2026-11-20T10:00:00.123456Z'],
    ['2026-11-20T10:00:00.5-06:00', '2026-11-20T16:00:00.500000Z'],
    ['2026-11-20 10:00:00', '2026-11-20T10:00:00.000000Z'],
    ['yesterday', null],
    [null, null],
  ])('reads the time %s', async (time, instant) => {
    expect(await find({ ...row, time })).toMatchObject({ time: instant });
  });

  test('is null when there is no row', async () => {
    expect(await find()).toBeNull();
  });

  test('shows a debit before a credit, and a success before a failed try', async () => {
    const debit = { ...row, amount: -1000 };
    expect(await find(row, { ...debit, status: 'failed' }, debit)).toMatchObject({
      amountMsat: -1000n,
      status: 'success',
    });
    expect(await find(row, { ...debit, status: 'failed' })).toMatchObject({
      amountMsat: -1000n,
      status: 'failed',
    });
  });

  test('that shows another payment, or an unknown status, is no answer', async () => {
    await expect(find({ ...row, payment_hash: 'cd'.repeat(32) })).rejects.toMatchObject({
      code: 'lnbits/unreachable',
    });
    await expect(find({ ...row, status: 'settling' })).rejects.toMatchObject({ code: 'lnbits/unreachable' });
  });
});
