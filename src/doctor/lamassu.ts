import type { Config } from '../config/config.ts';
import { BridgeError } from '../errors.ts';
import { optionalColumns, requiredColumns } from '../lamassu/columns.ts';
import { type Database, type LamassuMachine, openDatabase } from '../lamassu/database.ts';
import { EVERYBODY_CREATES } from '../lamassu/excess-privileges.ts';
import { isPinned, keyText } from '../lamassu/host-keys.ts';
import { neededAndNotGranted, type Rights } from '../lamassu/rights.ts';
import { authorizedKeysLine } from '../lamassu/role-sql.ts';
import { publicKeyLine, readPrivateKey } from '../lamassu/ssh-key.ts';
import { startProblem } from '../lamassu/start.ts';
import { openTunnel, readHostKeys } from '../lamassu/tunnel.ts';
import { bindSource } from '../ledger/cash-outs/watermark.ts';
import type { Who } from '../ledger/log/log.ts';
import { findReplaced, machineLabel } from '../ledger/machines/machines.ts';
import { seeMachines } from '../ledger/machines/register.ts';
import type { Db, Ledger } from '../ledger/store/open.ts';
import { CASH_LEFT } from '../ledger/store/schema.ts';
import { machineText } from '../lib/machine-label.ts';
import { call, message } from '../lib/message.ts';
import { type Clock, toMs } from '../time.ts';
import { type Check, fail, ok, some, warn } from './check.ts';
import { clockCheck } from './clock.ts';

const DEADLINE_MS = 15_000;
const EVERYBODY_HINT =
  'As PostgreSQL’s superuser in Lamassu’s database: revoke create on schema public from public. Where Lamassu’s own role is neither superuser nor owner of that schema, first: grant create on schema public to that role.';
const ROLE_HINT = message`As PostgreSQL’s superuser on the Lamassu server, run what ${call('role_sql')} prints.`;

/** The connection to Lamassu's database, the rights there, and whether it is the database that the ledger knows. */
export async function* examineLamassu(
  config: Pick<Config, 'lamassu' | 'commission'>,
  ledger: Ledger | undefined,
  who: Who,
  clock: Clock,
): AsyncGenerator<Check> {
  const { lamassu } = config;
  const { ssh } = lamassu;
  const place = `${lamassu.host}:${lamassu.port}`;
  if (ssh) {
    try {
      (await openTunnel(ssh, lamassu, DEADLINE_MS)).close();
    } catch (error) {
      yield withKeyLine(fail('ssh', error), error, lamassu);
      return;
    }
    yield ok('ssh', `${ssh.user}@${ssh.host}:${ssh.port} shows the pinned host key and forwards to ${place}`);
    yield await hostKeysCheck(ssh);
  }
  const before = clock.host().wall;
  let source: Database;
  try {
    source = await openDatabase(lamassu, clock);
  } catch (error) {
    yield fail('lamassu', error);
    return;
  }
  try {
    yield ok('lamassu', `database ${lamassu.database} at ${place} answers user ${lamassu.user}`);
    yield clockCheck('lamassu clock', toMs(source.now), { before, after: clock.host().wall });
    // If this host's clock is behind, start_at would seem to lie in the future.
    const now = clock.now();
    const latest = source.now > now ? source.now : now;
    const start = startProblem(lamassu.startAt, latest, !(await isRead(lamassu.name, ledger?.db)));
    if (start) yield warn('start_at', start.message, start.hint ?? '');
    const rights = await source.check();
    yield columnsCheck(rights, config.commission.method);
    yield rightsCheck(rights, lamassu.user);
    const known = await source.machines();
    const machines = known.filter(({ paired }) => paired);
    if (ledger) yield await identityCheck(config, source, ledger);
    yield await machinesCheck(config, machines, known, ledger, who);
    if (ledger) yield* replacedCheck(ledger.db, machines);
    if (ledger && machines.length > 0) yield* fundingChecks(ledger.db, machines);
  } catch (error) {
    yield fail('lamassu', error);
  } finally {
    await source.close();
  }
}

/** Where the server does not take the key: the line that lets it in. */
function withKeyLine(check: Check, error: unknown, { ssh, host, port }: Config['lamassu']): Check {
  if (!ssh || !(error instanceof BridgeError) || error.code !== 'lamassu/ssh-authentication') return check;
  const key = readPrivateKey(ssh.privateKey.reveal(), ssh.passphrase, 'lamassu.ssh.private_key');
  const line = authorizedKeysLine(publicKeyLine(key), host, port);
  const hint = `${check.hint === null ? '' : `${check.hint} `}The line for ~${ssh.user}/.ssh/authorized_keys there:`;
  return { ...check, hint: `${hint}\n${line}` };
}

/** Whether the ledger holds anything from this Lamassu. */
async function isRead(name: string, db: Db | undefined): Promise<boolean> {
  const query = db?.selectFrom('sources').select('mark_id').where('name', '=', name).executeTakeFirst();
  return ((await query)?.mark_id ?? null) !== null;
}

/** All host keys of the server, so that a new one can be pinned before the server changes over to it. */
async function hostKeysCheck(ssh: NonNullable<Config['lamassu']['ssh']>): Promise<Check> {
  try {
    const keys = await readHostKeys(ssh, DEADLINE_MS);
    const text = keys.map((key) => `${keyText(key)}${isPinned(ssh.hostKeys, key) ? ' (pinned)' : ''}`);
    return ok('ssh host keys', text.join(', '));
  } catch (error) {
    return fail('ssh host keys', error);
  }
}

function columnsCheck({ missing, columns }: Rights, method: Config['commission']['method']): Check {
  if (missing.length > 0) {
    const error = new BridgeError(
      'lamassu/column-missing',
      `Lamassu's database has no ${some(missing)}.`,
      'Check that [lamassu] database names Lamassu’s own, and that this bridge supports its version.',
    );
    return fail('columns', error);
  }
  const absent = optionalColumns.filter((column) => !columns.includes(`cash_out_txs.${column}`));
  const found = `all ${requiredColumns.length} that are needed`;
  if (method === 'ticker' && absent.includes('raw_ticker_price')) {
    return warn(
      'columns',
      `${found}, but no raw_ticker_price: the commission is found by [commission] fallback`,
      'That is right for a Lamassu older than November 2018; a newer one has the column.',
    );
  }
  return ok('columns', absent.length > 0 ? `${found}; this Lamassu has no ${absent.join(', ')}` : found);
}

function rightsCheck(rights: Rights, user: string): Check {
  const { notGranted, tooMuch, harmful } = rights;
  const needed = neededAndNotGranted(rights);
  if (needed.length > 0) {
    const what = `User ${user} may not read ${some(needed)}.`;
    return fail('rights', new BridgeError('lamassu/not-granted', what, ROLE_HINT));
  }
  const own = message`Use a role that has only this purpose. ${ROLE_HINT}`;
  if (harmful.length > 0) {
    const what = `User ${user} may do more than read: ${some(harmful)}.`;
    return fail('rights', new BridgeError('lamassu/too-many-rights', what, own));
  }
  const wrong = [
    ...(notGranted.length > 0 ? [`may not read ${some(notGranted)}, which would be useful`] : []),
    ...(tooMuch.length > 0 ? [`may do more than is needed: ${some(tooMuch)}`] : []),
  ];
  if (wrong.length === 0) return ok('rights', `user ${user} may read what is needed and nothing else`);
  const role = tooMuch.some((one) => one !== EVERYBODY_CREATES)
    ? own
    : notGranted.length > 0
      ? ROLE_HINT
      : '';
  const everybody = tooMuch.includes(EVERYBODY_CREATES) ? EVERYBODY_HINT : '';
  const between = role !== '' && everybody !== '' ? ' ' : '';
  return warn('rights', `user ${user} ${wrong.join('; ')}`, message`${role}${between}${everybody}`);
}

/** Whether this Lamassu and this start_at match the ledger; it binds nothing. */
async function identityCheck(
  { lamassu }: Pick<Config, 'lamassu'>,
  source: Database,
  ledger: Ledger,
): Promise<Check> {
  const { name, startAt } = lamassu;
  try {
    const { mark_confirmed_at: mark, system_identifier: pinned } = await ledger.dryRun((trx) =>
      bindSource(trx, { name, startAt, systemIdentifier: source.systemIdentifier }, ledger.clock.now()),
    );
    const read = `"${name}" from ${startAt}, ${mark ? `read up to ${mark}` : 'not read yet'}`;
    if (pinned !== null && source.systemIdentifier === null) {
      return warn(
        'source',
        `${read}; PostgreSQL no longer tells its identity, so another database would not be noticed`,
        `As PostgreSQL’s superuser in Lamassu’s database: GRANT EXECUTE ON FUNCTION pg_control_system() TO ${lamassu.user};`,
      );
    }
    if (mark === null || mark <= source.now) return ok('source', read);
    return warn('source', `${read}, which Lamassu's clock has not reached`, AHEAD_HINT);
  } catch (error) {
    return fail('source', error);
  }
}

const AHEAD_HINT =
  'Its clock was ahead when it was read. The next run reads everything since start_at again, and corrects the mark; check that both hosts keep the right time.';

type Machines = LamassuMachine[];

async function machinesCheck(
  { lamassu }: Pick<Config, 'lamassu'>,
  machines: Machines,
  known: Machines,
  ledger: Ledger | undefined,
  who: Who,
): Promise<Check> {
  if (machines.length === 0) {
    return warn(
      'machines',
      'Lamassu shows none',
      message`Pair a machine, or let the role read \`devices\`: ${call('role_sql')}`,
    );
  }
  try {
    await ledger?.write((trx) => seeMachines(trx, { ...who, at: ledger.clock.now() }, known, lamassu.name));
  } catch (error) {
    return fail('machines', error);
  }
  return ok('machines', `${machines.length}: ${some(machines.map(nameOf))}`);
}

/**
 * Machines that were replaced here but are still in Lamassu: what they pay out is divided over the successor's
 * fundings.
 */
async function* replacedCheck(db: Db, machines: Machines): AsyncGenerator<Check> {
  for (const { deviceId } of machines) {
    const replaced = await findReplaced(db, deviceId);
    if (!replaced) continue;
    const { machine, by, since } = replaced;
    const { cashOuts } = await db
      .selectFrom('cash_outs')
      .select((eb) => eb.fn.countAll<bigint>().as('cashOuts'))
      .where('machine', '=', deviceId)
      .where('confirmed_at', '>', since)
      .executeTakeFirstOrThrow();
    const paid =
      cashOuts === 0n
        ? ''
        : `, and has paid out since: ${cashOuts === 1n ? '1 cash-out' : `${cashOuts} cash-outs`}`;
    yield warn(
      'replaced machines',
      `${machineLabel(machine)} was replaced by ${machineLabel(by)} and is still in Lamassu${paid}`,
      message`What it pays out is divided over the fundings of the other. Unpair it in Lamassu; or, if it was replaced by mistake: ${call('machines.replace', { old: by.device_id, new: deviceId })}`,
    );
  }
}

/** Cash for machines that Lamassu does not have, and machines without clients' cash. */
async function* fundingChecks(db: Db, machines: Machines): AsyncGenerator<Check> {
  const fundings = await db
    .selectFrom('fundings')
    .select(['id', 'machine'])
    .where('status', 'in', CASH_LEFT)
    .orderBy('id')
    .execute();
  const known = new Set(machines.map((one) => one.deviceId));
  const lost = fundings.filter(({ machine }) => machine !== null && !known.has(machine));
  if (lost.length > 0) {
    yield warn(
      'fundings',
      `${some(lost.map(({ id }) => `f${id}`))}: for a machine that Lamassu does not have`,
      message`Their cash counts only for what that machine still reports. If it lies in another one now: ${call('fundings.move', { id: null, machine: null })}; if a new machine took the place of the old one: ${call('machines.replace', { old: null, new: null })}.`,
    );
  }
  if (fundings.some(({ machine }) => machine === null)) return;
  const replaced = await db
    .selectFrom('machines')
    .select('device_id')
    .where('replaced_by', 'is not', null)
    .execute();
  const taken = new Set([...fundings.map(({ machine }) => machine), ...replaced.map((one) => one.device_id)]);
  const unfunded = machines.filter(({ deviceId }) => !taken.has(deviceId));
  if (unfunded.length === 0) return;
  yield warn(
    'fundings',
    `no client's cash is in ${some(unfunded.map(nameOf))}: cash-outs there go to the operator's own share`,
    message`If that is not intended: ${call('fundings.add', { client: null, amount: '3000 GTQ', machine: null })}`,
  );
}

function nameOf({ deviceId, name }: Machines[number]): string {
  return name ?? machineText(deviceId, null);
}
