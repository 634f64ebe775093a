import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { SCOPES } from '../../src/operations/rights.ts';
import { filledLedger } from '../support/admin-pages.ts';
import { freshLedger } from '../support/ledgers.ts';
import { servedSite } from '../support/served-site.ts';
import { clientSession, tokenFor } from '../support/site.ts';

/*
 * Schemathesis asks each site what its OpenAPI document allows, and what it does not; test/support/install-checkers.sh
 * installs it.
 */

/** In CI it has to be there. */
const isThere = process.env.CI !== undefined || spawnSync('schemathesis', ['--version']).error === undefined;

/** What does not end, and what ends the session that asks. */
const UNASKED = ['/api/v1/events', '/api/v1/me/sessions/end', '/api/v1/account/sessions/end'];

/**
 * Checks that ask for something else than this API promises: amounts, months, cursors and ids are text of their own
 * grammar, which a document can only call text; no `If-Match` is 428; what needs keys that are not there is 503, and a
 * defect is in the log.
 */
const OTHERWISE = ['positive_data_acceptance', 'missing_required_header', 'not_a_server_error'];

async function schemathesis(url: string, header: string) {
  const args = [
    ...['run', `${url}/api/openapi.json`, '--header', header, '--header', `Origin: ${url}`],
    ...['--seed', '4242', '--generation-deterministic', '--max-examples', '8', '--workers', '1'],
    ...['--phases', 'examples,coverage,fuzzing', '--no-color', '--request-timeout', '20'],
    ...['--exclude-checks', OTHERWISE.join(','), '--generation-with-security-parameters', 'false'],
    ...UNASKED.flatMap((path) => ['--exclude-path', path]),
  ];
  const cwd = await mkdtemp(join(tmpdir(), 'aio-dca-schemathesis-'));
  const child = spawn('schemathesis', args, { cwd, stdio: ['ignore', 'pipe', 'inherit'] });
  let printed = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed += text;
  });
  const [code] = await once(child, 'close');
  return { code, printed };
}

test.skipIf(!isThere).each(['admin', 'client'] as const)(
  'the %s site answers as its document says, whatever it is asked',
  async (name) => {
    const ledger = await freshLedger('sqlite');
    await filledLedger(ledger);
    const header =
      name === 'admin'
        ? `Authorization: Bearer ${await tokenFor(ledger, [...SCOPES])}`
        : `Cookie: aio-dca-client=${await clientSession(ledger, 'alice')}`;
    const { url, logged } = await servedSite(ledger, name);
    const { code, printed } = await schemathesis(url, header);
    expect([code, code === 0 ? '' : printed]).toEqual([0, '']);
    expect(logged.filter((line) => line.includes('defect'))).toEqual([]);
  },
  300_000,
);
