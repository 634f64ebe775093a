import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { chmodSync, copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { BridgeError } from '../../src/errors.ts';
import { directory, file, MINIMAL, put } from '../support/config-folder.ts';

function load(text: string, env: NodeJS.ProcessEnv = {}) {
  put('config.toml', text);
  return loadConfig(file, env);
}

function failure(act: () => unknown): BridgeError {
  try {
    act();
  } catch (error) {
    if (error instanceof BridgeError) return error;
    throw error;
  }
  throw new Error('was accepted');
}

const mistakes = (text: string, env: NodeJS.ProcessEnv = {}) =>
  failure(() => load(text, env))
    .message.split('\n')
    .slice(1);

describe('config.example.toml', () => {
  test('is complete and right, with its secrets beside it', () => {
    copyFileSync('config.example.toml', file);
    put('lamassu.password', 'hunter2\n');
    put('id_ed25519', 'KEY\n');
    put('source.adminkey', 'adminkey\n');
    const config = loadConfig(file, {});
    expect(config.lamassu).toMatchObject({ host: '127.0.0.1', port: 5432, tls: 'disable', ca: undefined });
    expect(config.lamassu.startAt).toBe('2026-11-01T06:00:00.000000Z');
    expect(config.lamassu.overlapMs).toBe(7 * 86_400_000);
    expect(config.lamassu.password?.reveal()).toBe('hunter2');
    expect(config.lamassu.ssh?.privateKey.reveal()).toBe('KEY\n');
    expect(config.lamassu.ssh?.passphrase).toBeUndefined();
    expect(config.lamassu.ssh?.hostKeys).toHaveLength(1);
    expect(config.lnbits.sourceWalletKey.reveal()).toBe('adminkey');
    expect(config.ledger.url).toBe('sqlite:/var/lib/aio-dca/ledger.sqlite');
    expect(config.secretFiles).toEqual(
      ['lamassu.password', 'id_ed25519', 'source.adminkey'].map((name) => join(directory, name)),
    );
  });

  test('shows the defaults', () => {
    copyFileSync('config.example.toml', file);
    const example = loadConfig(file, {});
    const minimal = load(MINIMAL);
    for (const key of [
      'commission',
      'payouts',
      'allocation',
      'fixed',
      'review',
      'attention',
      'schedule',
      'log',
      'metrics',
    ] as const) {
      expect(example[key]).toEqual(minimal[key]);
    }
    expect(minimal.payouts).toEqual({
      batch: 'poll',
      minimumSats: 1n,
      maximumSats: 10_000_000n,
      quietMs: 60_000,
      dailyCeilingSats: undefined,
    });
    expect(minimal.ledger.url).toBe(`sqlite:${directory}/ledger.sqlite`);
    expect(minimal.lamassu).toMatchObject({ name: 'lamassu', user: 'aio_dca', ssh: undefined });
  });
});

describe('values', () => {
  test('amounts, lengths of time, lists, addresses', () => {
    const config = load(`${MINIMAL.replace('.org"', '.org/lnbits/"')}
[review]
cash_out_above = ["20000 GTQ", "2500.50 USD"]
[payouts]
quiet = "500 ms"
daily_ceiling_sats = 5000000
[attention]
stale_after = "90 min"
[fixed]
times = ["06:00", "18:30"]
[metrics]
listen = "[::1]:9464"`);
    expect(config.lnbits.url).toBe('https://lnbits.example.org/lnbits');
    expect(config.review.cashOutAbove.map(({ currency, minor }) => [currency, minor])).toEqual([
      ['GTQ', 2_000_000n],
      ['USD', 250_050n],
    ]);
    expect(config.payouts).toMatchObject({ quietMs: 500, dailyCeilingSats: 5_000_000n });
    expect(config.attention.staleAfterMs).toBe(5_400_000);
    expect(config.fixed.times).toEqual(['06:00', '18:30']);
    expect(config.metrics.listen).toBe('[::1]:9464');
  });

  test('start_at may be a TOML time, with its zone', () => {
    const text = MINIMAL.replace(/"(2026-11-01T.*)"/, '$1');
    expect(load(text).lamassu.startAt).toBe('2026-11-01T06:00:00.000000Z');
    expect(mistakes(text.replace('-06:00', ''))).toEqual([
      'line 3: lamassu.start_at: expected a time with its zone, like "2026-11-01T00:00:00-06:00"',
    ]);
  });
});

describe('mistakes', () => {
  test('are all listed, with line, key, what is expected and the nearest known key', () => {
    expect(
      mistakes(`timezone = "Guatemala"
pol = 1
[lamassu]
hostt = "127.0.0.1"
port = "5432"
host_key = "SHA256:x"
[lnbits]
url = "ftp://lnbits.example.org"
[payouts]
quiet = "soon"
minimum_sats = 0
[fixed]
times = [
  "12:00",
  "25:00",
]
[log]
level = "loud"
[schedule]
poll = "every day"
[review]
cash_out_above = [20000]
`),
    ).toEqual([
      'line 1: timezone: expected a time zone, perhaps "America/Guatemala"',
      'line 2: pol: unknown key, did you mean "log"?',
      'line 3: lamassu.start_at: missing, expected a time with its zone, like "2026-11-01T00:00:00-06:00"',
      'line 4: lamassu.hostt: unknown key, did you mean "host"?',
      'line 5: lamassu.port: expected a whole number from 1 to 65535',
      'line 6: lamassu.host_key: unknown key, it belongs in [lamassu.ssh]',
      'line 8: lnbits.url: expected an address like "https://lnbits.example.org", without a user or a query',
      'line 10: payouts.quiet: expected a length of time, like "60 s", "5 min", "2 hours" or "7 days"',
      'line 11: payouts.minimum_sats: expected a whole number from 1 to 2100000000000000',
      'line 13: fixed.times[2]: expected a time of day, like "12:00"',
      'line 18: log.level: expected one of "trace", "debug", "info", "warn", "error", "fatal", "silent"',
      'line 20: schedule.poll: expected five fields of cron, like "*/5 * * * *"',
      'line 22: review.cash_out_above[1]: expected an amount with its currency, like "20000 GTQ"',
    ]);
  });

  test('the error for an ambiguous number shows both readings', () => {
    const text = (payouts: string, above: string) =>
      `${MINIMAL}[payouts]\n${payouts}\n[review]\ncash_out_above = [${above}]`;
    expect(
      mistakes(text('minimum_sats = 2.000\nmaximum_sats = 211.000\ndaily_ceiling_sats = 5.5', '"1 GTQ"')),
    ).toEqual([
      'line 7: payouts.minimum_sats: expected a whole number from 1 to 2100000000000000, written without a point: 2 or 2000',
      'line 8: payouts.maximum_sats: expected a whole number from 1 to 2100000000000000, written without a point: 211 or 211000',
      'line 9: payouts.daily_ceiling_sats: expected a whole number from 1 to 2100000000000000, written without a point: 5500',
    ]);
    expect(mistakes(text('maximum_sats = 1e6', '"1 GTQ"'))).toHaveLength(1);
    expect(load(text('maximum_sats = 1_000_000', '"1 GTQ"')).payouts.maximumSats).toBe(1_000_000n);
    expect(mistakes(text('minimum_sats = 1', '"500 USD", "20.000 GTQ", "20000"'))).toEqual([
      'line 9: review.cash_out_above[2]: "20.000 GTQ" can be read as 20 or as 20,000. Write "20000 GTQ" or "20 GTQ", whichever is meant.',
      'line 9: review.cash_out_above[3]: "20000" is not an amount with its currency. Write a number and a currency, like "3000.50 GTQ".',
    ]);
  });

  test('a currency that this version does not know has its digits in [currencies]', () => {
    const text = `${MINIMAL}[review]\ncash_out_above = ["20.5 QQQ"]\n`;
    expect(mistakes(text)[0]).toContain('[currencies] QQQ = 2');
    expect(load(`${text}[currencies]\nQQQ = 1\n`).review.cashOutAbove).toEqual([
      { minor: 205n, currency: 'QQQ', digits: 1 },
    ]);
    expect(mistakes(`${text}[currencies]\nQQQ = 5\nqqr = 2`)).toEqual([
      'line 9: currencies.QQQ: expected a whole number from 0 to 4',
      'line 10: currencies.qqr: expected codes in upper case and the digits of each, like XCG = 2',
    ]);
  });

  test('a length of time that leaves the calendar is refused', () => {
    for (const length of ['999999999 days', '4000 days', '٧ days', '1.000 ms', '0 s', '1e3 s'])
      expect(mistakes(`${MINIMAL}[payouts]\nquiet = "${length}"`)[0]).toContain(
        'payouts.quiet: expected a length',
      );
    expect(load(`${MINIMAL}[payouts]\nquiet = "3650 days"`).payouts.quietMs).toBe(3650 * 86_400_000);
  });

  test('an empty file names what must be given', () => {
    expect(mistakes('')).toEqual([
      'timezone: missing, expected a time zone, like "America/Guatemala"',
      'lamassu.start_at: missing, expected a time with its zone, like "2026-11-01T00:00:00-06:00"',
      'lnbits.url: missing, expected an address like "https://lnbits.example.org", without a user or a query',
    ]);
  });

  test('a key within a text of several lines is not a key', () => {
    const text = `${MINIMAL}[lamassu.ssh]
host = "atm"
private_key = """
host_key = x
"""
host_key = 5`;
    expect(mistakes(text)[0]).toMatch(/^line 11: lamassu\.ssh\.host_key: expected a host key/);
  });

  test('an invalid host key is reported as wrong, not as missing', () => {
    const ssh = `${MINIMAL}[lamassu.ssh]\nhost = "atm"\nhost_key = "md5:xx"`;
    const says =
      'lamassu.ssh.host_key: expected a fingerprint "SHA256:…", or a whole line "ssh-ed25519 AAAA…"';
    expect(mistakes(ssh)).toEqual([`line 8: ${says}`]);
    for (const line of ['ssh-ed25519-cert-v01@openssh.com AAAAIHNz', '@cert-authority ssh-ed25519 AAAAC3Nz'])
      expect(mistakes(ssh.replace('md5:xx', line))).toEqual([`line 8: ${says}`]);
    expect(mistakes(ssh.replace('"md5:xx"', '["md5:xx"]'))[0]).toMatch(
      /host_key\[1\]: expected a fingerprint/,
    );
  });

  test('a schedule with seconds', () => {
    expect(mistakes(`${MINIMAL}[schedule]\npoll = "0 */5 * * * *"`)).toEqual([
      'line 7: schedule.poll: expected five fields of cron, like "*/5 * * * *"',
    ]);
  });

  test('a value in place of a table, sums that contradict each other', () => {
    expect(mistakes(`ledger = "x"\n${MINIMAL}`)).toEqual(['line 1: ledger: expected a table']);
    expect(mistakes(`${MINIMAL}[payouts]\nminimum_sats = 5\nmaximum_sats = 4`)).toEqual([
      'line 7: payouts.minimum_sats: more than maximum_sats, 4',
    ]);
  });

  test('never repeat what may be a secret', () => {
    for (const text of [
      'password = "hunter2',
      '[lamassu]\npassword = ["hunter2"]',
      '[ledger]\nurl = "mysql://u:hunter2@h/db"',
      '[lnbits]\nurl = "https://u:hunter2@h"',
    ]) {
      const error = failure(() => load(text));
      expect(error.code).toBe('config/invalid');
      expect(inspect(error, { depth: 9 })).not.toContain('hunter2');
    }
  });

  test('TOML that cannot be read names the line', () => {
    expect(mistakes('a = 1\nb = \n')).toEqual(['line 2, column 5: Invalid TOML document: invalid value']);
  });
});

describe('secrets', () => {
  test('from the file itself, which then holds a secret', () => {
    const config = load(MINIMAL.replace('[lamassu]', '[lamassu]\npassword = "hunter2"'));
    expect(config.lamassu.password?.reveal()).toBe('hunter2');
    expect(config.secretFiles).toEqual([file]);
    expect(inspect(config, { depth: 9, getters: true })).not.toContain('hunter2');
    expect(JSON.stringify(config.lamassu)).toContain('"password":"[redacted]"');
  });

  test('with blanks or lines around them, or in UTF-16, are refused by name', () => {
    const text = MINIMAL.replace('[lamassu]', '[lamassu]\npassword_file = "role.password"');
    for (const content of ['hunter2\n\n', 'hunter2 \n', ' hunter2', 'hun\nter2']) {
      put('role.password', content);
      expect(() => load(text).lamassu.password).toThrow(
        expect.objectContaining({
          code: 'config/secret',
          message: expect.stringContaining('lamassu.password_file'),
        }),
      );
    }
    put('role.password', 'hunter2\r\n');
    expect(load(text).lamassu.password?.reveal()).toBe('hunter2');
    writeFileSync(join(directory, 'role.password'), Buffer.from('\uFEFFhunter2\r\n', 'utf16le'));
    expect(() => load(text).lamassu.password).toThrow(/role\.password is text in UTF-16/);
    const path = join(directory, 'utf16.toml');
    writeFileSync(path, Buffer.from(`\uFEFF${MINIMAL}`, 'utf16le'));
    expect(() => loadConfig(path, {})).toThrow(/utf16\.toml is text in UTF-16/);
    writeFileSync(path, `\uFEFF${MINIMAL}`);
    expect(loadConfig(path, {}).timezone).toBe('America/Guatemala');
  });

  test('from the environment', () => {
    const config = load(`${MINIMAL}[lamassu.ssh]\nhost = "atm"\nhost_key = "ssh-ed25519 AAAAC3Nz"`, {
      AIO_DCA_LAMASSU_PASSWORD: 'one',
      AIO_DCA_LAMASSU_SSH_PRIVATE_KEY: 'two',
      AIO_DCA_LNBITS_SOURCE_WALLET_KEY: 'three',
      AIO_DCA_LEDGER_PASSWORD: 'four',
    });
    expect(config.lamassu.password?.reveal()).toBe('one');
    expect(config.lamassu.ssh?.privateKey.reveal()).toBe('two');
    expect(config.lnbits.sourceWalletKey.reveal()).toBe('three');
    expect(config.ledger.password?.reveal()).toBe('four');
    expect(config.secretFiles).toEqual([]);
  });

  test("from systemd's credentials, before a file beside the config", () => {
    const credentials = join(directory, 'credentials');
    mkdirSync(credentials);
    put('credentials/admin.key', 'from systemd\n');
    put('admin.key', 'beside\n');
    const text = `${MINIMAL}source_wallet_key_file = "admin.key"`;
    expect(load(text, { CREDENTIALS_DIRECTORY: credentials }).lnbits.sourceWalletKey.reveal()).toBe(
      'from systemd',
    );
    expect(load(text).lnbits.sourceWalletKey.reveal()).toBe('beside');
  });

  test('given twice, they are refused', () => {
    const text = `${MINIMAL}source_wallet_key = "x"\nsource_wallet_key_file = "y"`;
    expect(mistakes(text, { AIO_DCA_LNBITS_SOURCE_WALLET_KEY: 'z' })).toEqual([
      'line 6: lnbits.source_wallet_key: given more than once, by lnbits.source_wallet_key and ' +
        'lnbits.source_wallet_key_file and $AIO_DCA_LNBITS_SOURCE_WALLET_KEY',
    ]);
  });

  test('a missing one is an error only for the command that needs it, and is named', () => {
    const config = load(MINIMAL.replace('[lamassu]', '[lamassu]\npassword_file = "gone"'));
    const unreadable = failure(() => config.lamassu.password);
    expect(unreadable.code).toBe('config/secret');
    expect(unreadable.message).toBe(
      `lamassu.password_file: cannot read ${join(directory, 'gone')} (ENOENT).`,
    );
    const absent = failure(() => config.lnbits.sourceWalletKey);
    expect(absent.message).toBe('lnbits.source_wallet_key is not given.');
    expect(absent.hint).toContain('AIO_DCA_LNBITS_SOURCE_WALLET_KEY');
  });

  test('an empty file is no secret', () => {
    put('empty', '\n');
    const config = load(MINIMAL.replace('[lamassu]', '[lamassu]\npassword_file = "empty"'));
    expect(failure(() => config.lamassu.password).message).toContain('is empty');
  });

  test.each([
    ['postgresql://me:hunter%202@db/aio', 'postgresql://me@db/aio', 'hunter 2'],
    ['postgresql://me@db/aio?password=hunter2&sslmode=require', 'postgresql://me@db/aio', 'hunter2'],
    ['postgres://me:100%@db/aio', 'postgres://me@db/aio', '100%'],
    ['postgresql://me@db/aio', 'postgresql://me@db/aio', undefined],
    ['postgresql://me:x@/aio?host=/run/postgresql', 'postgresql://me@%2Frun%2Fpostgresql/aio', 'x'],
    ['postgresql:///aio?host=/run/postgresql', 'postgresql:///aio?host=%2Frun%2Fpostgresql', undefined],
  ])('the ledger URL %s keeps its password to itself', (url, shown, password) => {
    const config = load(`${MINIMAL}[ledger]\nurl = "${url}"`);
    expect(config.ledger.url).toBe(shown);
    expect(config.ledger.password?.reveal()).toBe(password);
  });

  test.each([
    ['', undefined],
    ['tls = "require"', 'require'],
    ['ca_file = "ca.pem"', 'verify-full'],
    ['?sslmode=disable', 'disable'],
    ['?sslmode=require', 'require'],
    ['?uselibpqcompat=true&sslmode=require', 'require'],
    ['?sslmode=no-verify', 'require'],
    ['?sslmode=verify-full', 'verify-full'],
    ['?sslmode=verify-full&sslrootcert=ca.pem', 'verify-full'],
    ['?ssl=true', 'verify-full'],
  ])('the protection of the way to the ledger: %s is %s', (said, tls) => {
    put('ca.pem', rootCertificates[0] ?? '');
    const [inUrl, key] = said.startsWith('?') ? [said, ''] : ['', said];
    const { ledger } = load(`${MINIMAL}[ledger]\nurl = "postgresql://me@db/aio${inUrl}"\n${key}`);
    expect(ledger.tls).toBe(tls);
    expect(ledger.ca).toBe(said.includes('ca.pem') ? rootCertificates[0] : undefined);
  });

  test.each([
    ['?port=99999', '', /port: a whole number from 1 to 65535/],
    ['?port=abc', '', /port: a whole number/],
    ['?host=db1,db2', '', /several servers/],
    ['?host=%00db', '', /a host with a character/],
    ['?sslmode=prefer', '', /sslmode=prefer does not say whether to encrypt.*verify-full/],
    ['?sslmode=verify-ca', '', /sslmode=verify-ca does not say/],
    ['?sslcert=me.pem', '', /sslcert: a client certificate is not supported/],
    ['?channel_binding=require', '', /channel_binding: leave it out/],
    ['?target_session_attrs=read-write', '', /target_session_attrs: unknown parameter; known are host, /],
    ['?sslmode=require', 'tls = "verify-full"', /given more than once, by ledger.tls and by sslmode/],
    [
      '',
      'tls = "require"\nca_file = "ca.pem"',
      /ledger.ca_file: has no effect with ledger.tls = "require"; set ledger.tls = "verify-full"/,
    ],
    ['?sslmode=require&sslrootcert=ca.pem', '', /sslrootcert has no effect with sslmode=require/],
  ])('unsupported parameters of a ledger URL are refused: %s %s', (inUrl, key, why) => {
    const [line] = mistakes(`${MINIMAL}[ledger]\nurl = "postgresql://me@db/aio${inUrl}"\n${key}`);
    expect(line).toMatch(why);
  });

  test.each([
    ['http://10.0.0.5:5000', true],
    ['http://lnbits:5000', true],
    ['http://localhost.example.org', true],
    ['http://127.0.0.1:5000', false],
    ['http://[::1]:5000', false],
    ['http://localhost:5000', false],
    ['http://abcdefghijklmnop.onion', false],
    ['https://lnbits.example.org', false],
  ])('wallet keys go unencrypted to another host only if the setting allows it: %s', (url, refused) => {
    const text = MINIMAL.replace(/url = "[^"]*"/, `url = "${url}"`);
    if (!refused) expect(load(text).lnbits.url).toBe(url);
    else {
      expect(mistakes(text)).toEqual([expect.stringMatching(/lnbits.url: http:.*insecure_http = true/)]);
      expect(load(text.replace('[lnbits]', '[lnbits]\ninsecure_http = true')).lnbits.url).toBe(url);
    }
  });

  test.each([
    [
      '[lamassu]',
      '[lamassu]\ntls = "require"\nca_file = "ca.pem"',
      /lamassu.ca_file: has no effect with lamassu.tls = "require"/,
    ],
    ['[lamassu]', '[lamassu]\nca_file = "ca.pem"', /lamassu.ca_file: .* lamassu.tls = "disable"/],
    [
      /url = "https:[^"]*"/,
      'ca_file = "ca.pem"\nurl = "http://localhost:5000"',
      /lnbits.ca_file: .* lnbits.url = "http:/,
    ],
    [/$/, '[ledger]\nca_file = "ca.pem"', /ledger.ca_file: .* ledger.url = "sqlite:/],
    [/$/, '[ledger]\ntls = "verify-full"', /ledger.tls: protects nothing with ledger.url = "sqlite:/],
  ])('a ca_file that would check nothing is refused, naming both settings: %s', (where, text, why) => {
    put('ca.pem', rootCertificates[0] ?? '');
    expect(mistakes(MINIMAL.replace(where, text))).toEqual([expect.stringMatching(why)]);
  });

  const certificate = rootCertificates[0] ?? '';
  const der = new X509Certificate(certificate).raw;
  const utf16 = Buffer.from(certificate, 'utf16le');
  const key = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' });
  test.each([
    ['an empty file', '', /ca.pem is empty/],
    ['text with its mark in UTF-16', Buffer.concat([Buffer.from([0xff, 0xfe]), utf16]), /UTF-16/],
    ['text in UTF-16', utf16, /UTF-16/],
    ['text in UTF-16, the other way round', Buffer.from(utf16).swap16(), /UTF-16/],
    ['a certificate in DER', der, /a certificate in DER/],
    ['a private key', key, /is a private key/],
    ['a request', '-----BEGIN CERTIFICATE REQUEST-----\n', /holds a CERTIFICATE REQUEST/],
    ['half a certificate', certificate.slice(0, 300), /the beginning of a certificate/],
    ['a broken certificate', certificate.replace(/[A-Z]{2}/g, '?'), /has no certificate|cannot be read/],
    ['something else', Buffer.from([1, 0, 2]), /is neither text/],
  ])('a ca_file that is %s is reported as that', (_name, bytes, why) => {
    writeFileSync(join(directory, 'ca.pem'), bytes);
    const { code, message, hint } = failure(() =>
      load(MINIMAL.replace('[lnbits]', '[lnbits]\nca_file = "ca.pem"')),
    );
    expect([code, message]).toEqual(['config/invalid', expect.stringMatching(why)]);
    expect(message).toMatch(/^lnbits.ca_file: /);
    expect(hint).toBeTruthy();
    expect(`${message}${hint}`).not.toContain(`${key}`.split('\n')[1]);
  });

  test('a folder as ca_file is reported as that; a byte order mark and other text around certificates do no harm', () => {
    const text = MINIMAL.replace('[lnbits]', '[lnbits]\nca_file = "ca"');
    mkdirSync(join(directory, 'ca'));
    expect(failure(() => load(text)).message).toMatch(/ca is a folder/);
    rmSync(join(directory, 'ca'), { recursive: true });
    put('ca', `\ufeffsubject=CN\n${certificate}\n`);
    expect(load(text).lnbits.ca).toBe(certificate);
  });

  test.runIf(process.getuid?.() === 0)('a ca_file that this user may not read names the user', () => {
    put('config.toml', MINIMAL.replace('[lnbits]', '[lnbits]\nca_file = "ca"'));
    put('ca', certificate);
    chmodSync(directory, 0o755);
    chmodSync(join(directory, 'ca'), 0o600);
    process.seteuid?.(65_534);
    try {
      const { message, hint } = failure(() => loadConfig(file, {}));
      expect(message).toMatch(/^lnbits.ca_file: cannot read .*\/ca \(EACCES\)/);
      expect(hint).toContain('nobody may not read it.');
    } finally {
      process.seteuid?.(0);
    }
  });

  test.each(['ledger', 'lnbits', 'lamassu'])('a ca_file of [%s] without a certificate is named', (table) => {
    put('ca.pem', 'no certificate');
    const text = MINIMAL.replace(/\[ledger\]\n|$/, '[ledger]\nurl = "postgresql://me@db/aio"\n').replace(
      `[${table}]`,
      `[${table}]\nca_file = "ca.pem"${table === 'lamassu' ? '\ntls = "verify-full"' : ''}`,
    );
    expect(failure(() => load(text)).message).toMatch(
      new RegExp(`${table}\\.ca_file: .*ca.pem has no certificate`),
    );
  });

  test('an absolute ledger path stays, a relative one is relative to the file', () => {
    expect(load(`${MINIMAL}[ledger]\nurl = "sqlite:/var/lib/x.sqlite"`).ledger.url).toBe(
      'sqlite:/var/lib/x.sqlite',
    );
    expect(load(`${MINIMAL}[ledger]\nurl = "sqlite:../x.sqlite"`).ledger.url).toBe(
      `sqlite:${join(directory, '../x.sqlite')}`,
    );
  });
});

describe('where the file is looked for', () => {
  test('the option wins over the environment; a wrong one is named', () => {
    put('config.toml', MINIMAL);
    expect(loadConfig(file, { AIO_DCA_CONFIG: '/nowhere' }).file).toBe(file);
    expect(loadConfig(undefined, { AIO_DCA_CONFIG: file }).file).toBe(file);
    const before = process.cwd();
    process.chdir(directory);
    expect(loadConfig(undefined, { AIO_DCA_CONFIG: '' }).file).toBe(file);
    process.chdir(before);
    const error = failure(() => loadConfig(undefined, { AIO_DCA_CONFIG: '/nowhere/config.toml' }));
    expect(error.code).toBe('config/missing');
    expect(error.message).toContain('/nowhere/config.toml (ENOENT)');
  });
});
