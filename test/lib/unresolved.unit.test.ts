import { expect, test } from 'vitest';
import { reachPostgresql } from '../../src/init/reach.ts';
import { lamassuUnreachable } from '../../src/lamassu/refusal.ts';
import { readHostKeys } from '../../src/lamassu/tunnel.ts';
import { explained } from '../../src/ledger/store/failure.ts';
import { CHECK_NAME } from '../../src/lib/unresolved.ts';
import { noAnswer } from '../../src/lnbits/answer.ts';

/* A host whose name has no address: the way out is about the name, not about what would listen there. */

// No name server is asked for a label of more than 63 characters.
const host = `${'x'.repeat(70)}.example`;
const place = { host, port: 22 };
const missing = (code: string) => Object.assign(new Error(`getaddrinfo ${code} ${host}`), { code });

const doors: Record<string, (code: string) => unknown> = {
  'an SSH server': () => readHostKeys(place),
  'a PostgreSQL that init tries': () => reachPostgresql(host, 5432),
  'the PostgreSQL of Lamassu': (code) =>
    lamassuUnreachable({ ...place, database: 'lamassu', user: 'aio_dca' }, 'it is not there', missing(code)),
  LNbits: (code) => noAnswer('GET /', code, missing(code)),
  'the ledger': (code) => explained(`postgresql://${host}/x`, missing(code)),
};

test.each(Object.entries(doors))('%s', async (_door, fails) => {
  for (const code of ['ENOTFOUND', 'EAI_AGAIN']) {
    const error = await Promise.resolve(fails(code)).catch((failed: unknown) => failed);
    expect(error).toMatchObject({ hint: expect.stringContaining(CHECK_NAME) });
  }
});

test('a host that refuses is not one without an address', () => {
  const error = noAnswer('GET /', 'ECONNREFUSED', missing('ECONNREFUSED'));
  expect(error.hint).not.toContain(CHECK_NAME);
});
