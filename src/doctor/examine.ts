import { statSync } from 'node:fs';
import { sql } from 'kysely';
import type { Config } from '../config/config.ts';
import { bestTime } from '../ledger/clocks/clocks.ts';
import { doubtsAt, wayOut } from '../ledger/clocks/doubts.ts';
import type { Who } from '../ledger/log/log.ts';
import { paysOtherwise } from '../ledger/machines/machines.ts';
import { type Db, type Ledger, openLedger } from '../ledger/store/open.ts';
import { CASH_LEFT } from '../ledger/store/schema.ts';
import { call, message } from '../lib/message.ts';
import { isThisHost, type Tls } from '../lib/tls.ts';
import type { Clock } from '../time.ts';
import { type Check, fail, ok, some, warn } from './check.ts';
import { clockCheck } from './clock.ts';
import { examineLamassu } from './lamassu.ts';
import { examineLnbits } from './lnbits.ts';

/**
 * Checks everything that a run needs, step by step. Each check is yielded as soon as it is made, and a failure stops
 * only the checks that depend on it. Nothing is created and nothing paid; the machines that Lamassu knows are
 * recorded in the ledger.
 */
export async function* examine(
  config: Pick<Config, 'ledger' | 'secretFiles' | 'lamassu' | 'commission' | 'lnbits'>,
  env: NodeJS.ProcessEnv,
  who: Who,
  clock: Clock,
): AsyncGenerator<Check> {
  yield secretFiles(config, env);
  let ledger: Ledger | undefined;
  try {
    ledger = await openLedger({ ...config.ledger, clock, use: 'read' });
    yield ok('ledger', `${ledger.id} at ${ledger.url}, schema ${ledger.schema}`);
  } catch (error) {
    yield fail('ledger', error);
  }
  try {
    if (ledger) yield* examineLedger(ledger);
    if (ledger) yield* protection('ledger', ledger.url, config.ledger.tls);
    if (!config.lamassu.ssh)
      yield* protection('lamassu', `postgresql://${hostOf(config.lamassu.host)}`, config.lamassu.tls);
    yield* examineLamassu(config, ledger, who, clock);
    yield* examineLnbits(config, ledger, clock);
  } finally {
    await ledger?.close();
  }
}

/** A connection to another host on which a third party could read along, or answer in place of the server. */
function* protection(name: string, url: string, tls: Tls | undefined): Generator<Check> {
  if (url.startsWith('sqlite:')) return;
  const { hostname, searchParams } = new URL(url);
  const host = searchParams.get('host') ?? decodeURIComponent(hostname);
  if (isThisHost(host) || tls === 'verify-full' || (name === 'ledger' && tls === undefined)) return;
  const how = tls === 'require' ? 'trusts any certificate' : 'is not encrypted';
  yield warn(
    name,
    `the way to ${host} ${how}`,
    `Set \`tls = "verify-full"\` in [${name}] if its server has a certificate.`,
  );
}

/** A host as it stands in a URL. */
function hostOf(host: string): string {
  return host.includes(':') ? `[${host}]` : encodeURIComponent(host);
}

/** Whether others may read the files that hold secrets. The ledger is one of them: it has the clients' invoice keys. */
function secretFiles(config: Pick<Config, 'ledger' | 'secretFiles'>, env: NodeJS.ProcessEnv): Check {
  const { url } = config.ledger;
  const files = [...config.secretFiles, ...(url.startsWith('sqlite:') ? [url.slice('sqlite:'.length)] : [])];
  // systemd grants the service its credentials by an access list, which looks like a right of the group.
  const credentials = env.CREDENTIALS_DIRECTORY;
  const open = files
    .filter((path) => !credentials || !path.startsWith(`${credentials}/`))
    .filter((path) => ((statSync(path, { throwIfNoEntry: false })?.mode ?? 0) & 0o044) !== 0);
  if (open.length === 0) return ok('secret files', 'nobody else may read them');
  return warn('secret files', `others may read ${some(open)}`, `chmod 600 ${open.join(' ')}`);
}

async function* examineLedger({ db, url, clock }: Ledger): AsyncGenerator<Check> {
  const clients = await db
    .selectFrom('recipients')
    .select('id')
    .where('kind', '=', 'client')
    .where('status', '<>', 'closed')
    .execute();
  if (clients.length === 0) {
    yield warn(
      'clients',
      'the ledger has none, so no run begins',
      message`In a new ledger, add them: ${call('clients.add', { name: null, wallet_key: null })}. If there should be some, check [ledger] url.`,
    );
  }
  yield* doubtChecks(db, clock);
  yield* currencyChecks(db);
  if (url.startsWith('sqlite:')) return;
  const before = clock.host().wall;
  const [row] = (
    await sql<{ ms: bigint }>`select (extract(epoch from clock_timestamp()) * 1000)::int8 as ms`.execute(db)
  ).rows;
  if (row) yield clockCheck('ledger clock', Number(row.ms), { before, after: clock.host().wall });
}

/** Entries that were made while a clock was wrong. */
async function* doubtChecks(db: Db, clock: Clock): AsyncGenerator<Check> {
  for (const doubt of await doubtsAt(db, await bestTime(db, clock.host()))) {
    const since = doubt.expected === null ? '' : `, and was entered at about ${doubt.expected}`;
    yield warn(
      'entries',
      `${doubt.subject} applies from ${doubt.at} on${since}: it was entered while a clock was wrong`,
      message`Give the time from which it applies: ${wayOut(doubt)}`,
    );
  }
}

/** Fundings in a currency that none of their machines pays out. */
async function* currencyChecks(db: Db): AsyncGenerator<Check> {
  const fundings = await db
    .selectFrom('fundings')
    .select(['id', 'machine', 'currency'])
    .where('status', 'in', CASH_LEFT)
    .orderBy('id')
    .execute();
  const places = new Map(fundings.map((one) => [`${one.machine} ${one.currency}`, one]));
  for (const { machine, currency } of places.values()) {
    const why = await paysOtherwise(db, machine, currency);
    if (why === null) continue;
    const ids = fundings.filter((one) => one.machine === machine && one.currency === currency);
    yield warn(
      'fundings',
      `${some(ids.map(({ id }) => `f${id}`))}, cash in ${currency}: ${why}`,
      message`Was the currency mistyped? ${call('fundings.withdraw')} or ${call('fundings.cancel')} removes it; then add it again.`,
    );
  }
}
