import { type RawBuilder, type SqlBool, sql } from 'kysely';
import { formatDecimal } from '../dca/money.ts';
import type { About } from '../ledger/find-subject.ts';
import { toJson } from '../ledger/log/log.ts';
import type { Db } from '../ledger/store/open.ts';
import type { Instant } from '../time.ts';
import { type Column, type ExportKind, kinds } from './kinds.ts';
import { countRows, type ExportRow, pages } from './rows.ts';

/*
 * Every change, in the order of time: what the log has, and what runs did, which stands in the ledger's tables and is
 * written down nowhere else: cash-outs divided, payouts formed, payouts settled.
 */

/** Null: without that bound. */
export interface ChangesChoice {
  from: Instant | null;
  before: Instant | null;
  about: About | null;
  actor: string | null;
  newestFirst?: boolean;
}

interface Stream {
  kind: ExportKind;
  actor: string;
  /** The condition for a subject; undefined: nothing concerns it. */
  about(about: About): RawBuilder<SqlBool> | undefined;
}

const column = (name: string, type: Column['type'], expression: string): Column => ({
  ...{ name, type, sql: expression },
  summed: false,
});

/** A funding is named in what was settled by hand, and in what it got out of the own share. */
const mentions = (funding: RawBuilder<unknown>) =>
  sql<SqlBool>`(l.action in ('settle', 'cash-out from own') and l.after like '%"funding":"f' || ${funding} || '"%')`;

/** Cash that was entered late had no part in the first division; what it got later is in the log. */
const sharing = (whose: RawBuilder<SqlBool>) =>
  sql<SqlBool>`co.id in (select a.cash_out_id from allocations a where ${whose}
    and not exists (select 1 from log l where l.subject = a.cash_out_id and l.action = 'cash-out from own'
      and ${mentions(sql`a.funding_id`)}))`;

const recorded: Stream = {
  kind: { ...kinds.changes, key: ['l.at', 'l.id'] },
  actor: 'l.actor',
  about: ({ subjects, recipient, funding }) => {
    const found = subjects.length === 0 ? [] : [sql<SqlBool>`l.subject in (${sql.join(subjects)})`];
    if (funding !== undefined) found.push(mentions(sql`${`${funding}`}`));
    if (recipient !== undefined) {
      found.push(
        sql.join(
          kinds.changes.client.split('?').map((part) => sql.raw(part)),
          sql`${recipient}`,
        ),
      );
      found.push(
        sql`exists (select 1 from fundings x where x.client_id = ${recipient} and ${mentions(sql`x.id`)})`,
      );
    }
    return sql`(${sql.join(found, sql` or `)})`;
  },
};

const divided: Stream = {
  kind: {
    from: `cash_outs co left join runs r on r.id = co.run_id left join currencies cu on cu.code = co.currency`,
    // The log has what the operator settled.
    where: "co.origin = 'lamassu'",
    at: 'co.processed_at',
    key: ['co.processed_at', 'co.id'],
    currency: 'cu',
    client: null,
    columns: [
      ...head('co.processed_at', 'cash-out divided', 'co.id'),
      ...[
        ...['machine', 'begun_at_machine', 'confirmed_at', 'currency', 'fiat', 'own_fiat'],
        ...['gross', 'commission', 'net', 'own'],
      ].map((name) => column(name, 'text', `co.${name}`)),
    ],
  },
  actor: 'r.actor',
  about: ({ recipient, funding, cashOut }) => {
    if (cashOut !== undefined) return sql`co.id = ${cashOut}`;
    if (funding !== undefined) return sharing(sql`a.funding_id = ${funding}`);
    return recipient === undefined
      ? undefined
      : sharing(sql`a.funding_id in (select f.id from fundings f where f.client_id = ${recipient})`);
  },
};

const formed: Stream = {
  kind: {
    from: `payouts p left join runs r on r.id = p.run_id left join recipients c on c.id = p.recipient_id
      left join currencies cu on cu.code = p.currency`,
    at: 'p.created_at',
    key: ['p.created_at', 'p.id'],
    currency: 'cu',
    client: null,
    columns: [
      ...head('p.created_at', 'payout formed', "'p' || p.id"),
      column('recipient', 'text', 'c.name'),
      column('sats', 'sats', 'p.sats'),
      column('fiat', 'fiat', 'p.fiat'),
      column('currency', 'text', 'p.currency'),
    ],
  },
  actor: 'r.actor',
  about: ofPayout,
};

/**
 * A payout that is held or examined again after it was settled has another state: its payments say when it was settled.
 * `y` is the last of them that arrived; by its time there is an index.
 */
const SETTLED_AT = 'y.settled_at';

const settled: Stream = {
  kind: {
    // The run under way at that time: one at a time, so the first from that of the payment on that had not ended.
    from: `payments y inner join payouts p on p.id = y.payout_id left join recipients c on c.id = p.recipient_id
      left join runs r on r.id = (
        select min(z.id) from runs z where coalesce(z.finished_at, '9') >= ${SETTLED_AT} and z.id >= (
          select max(v.run_id) from payments v where v.payout_id = p.id and v.settled_at is not null))`,
    // What the operator decided or recovered is in the log.
    where: `y.settled_at is not null and not exists (select 1 from payments v where v.payout_id = y.payout_id
        and (v.settled_at > y.settled_at or (v.settled_at = y.settled_at and v.id > y.id)))
      and not exists (select 1 from payout_parts q where q.payout_id = p.id and q.split = 0 and not exists (
        select 1 from payments v where v.payout_id = q.payout_id and v.part = q.part and v.settled_at is not null))
      and not exists (select 1 from log x where x.subject = 'p' || p.id
        and (x.action = 'payout recovered' and x.at >= ${SETTLED_AT}
          or x.action = 'payout resolve' and x.at = ${SETTLED_AT}))`,
    at: SETTLED_AT,
    key: [SETTLED_AT, 'p.id'],
    currency: null,
    client: null,
    columns: [
      ...head(SETTLED_AT, 'payout settled', "'p' || p.id"),
      column('recipient', 'text', 'c.name'),
      column('sats', 'sats', 'p.sats'),
    ],
  },
  actor: 'r.actor',
  about: ofPayout,
};

const streams: readonly Stream[] = [divided, formed, settled, recorded];

function head(at: string, action: string, subject: string): Column[] {
  return [
    column('id', 'number', 'cast(null as bigint)'),
    column('at', 'time', at),
    column('actor', 'text', 'r.actor'),
    column('run', 'run', 'r.id'),
    column('action', 'text', `'${action}'`),
    column('subject', 'text', subject),
    column('reason', 'text', 'cast(null as text)'),
  ];
}

function ofPayout({ recipient, payout }: About): RawBuilder<SqlBool> | undefined {
  if (payout !== undefined) return sql`p.id = ${payout}`;
  return recipient === undefined ? undefined : sql`p.recipient_id = ${recipient}`;
}

/** Each stream has an index on its time; where a subject is asked for, each page looks for its rows again. */
const PAGE = 500;
/** Of the newest, as many as are looked at first. */
const NEWEST = 50;
/** How many changes are handed on at a time, with their details. */
const HANDFUL = 100;

/** The rows of `kinds.changes`, oldest first, or exactly the other way round. What was derived has no `id`. */
export async function* changePages(db: Db, choice: ChangesChoice): AsyncGenerator<ExportRow[], void> {
  const size = choice.newestFirst ? NEWEST : PAGE;
  const isNext = (at: string, before: string) => (choice.newestFirst ? at >= before : at < before);
  const sources = chosen(choice).map(({ stream, bounds }) => ({
    stream,
    rows: each(pages(db, stream.kind, { ...choice, ...bounds }, size)),
  }));
  const heads = await Promise.all(sources.map(({ rows }) => rows.next()));
  let handful: StreamRow[] = [];
  for (;;) {
    let first = -1;
    for (const [index, { value }] of heads.entries()) {
      if (value && (first < 0 || isNext(`${value.at}`, `${heads[first]?.value?.at}`))) first = index;
    }
    const [row, source] = [heads[first]?.value, sources[first]];
    if (!row || !source) break;
    handful.push({ stream: source.stream, row });
    heads[first] = await source.rows.next();
    if (handful.length < (choice.newestFirst ? NEWEST : HANDFUL)) continue;
    yield await described(db, handful);
    handful = [];
  }
  if (handful.length > 0) yield await described(db, handful);
}

/** The number of rows of `changePages`. */
export async function countChanges(db: Db, choice: ChangesChoice): Promise<number> {
  let count = 0;
  for (const { stream, bounds } of chosen(choice))
    count += await countRows(db, stream.kind, { ...choice, ...bounds });
  return count;
}

/** The streams with wanted rows, each with its condition. */
function chosen({ about, actor }: ChangesChoice) {
  return streams.flatMap((stream) => {
    const concerned = about === null ? [] : [stream.about(about)];
    const where = concerned.filter((one) => one !== undefined);
    if (where.length < concerned.length) return [];
    if (actor !== null) where.push(sql<SqlBool>`${sql.raw(stream.actor)} = ${actor}`);
    return [{ stream, bounds: { client: null, where } }];
  });
}

async function* each(pages: AsyncIterable<ExportRow[]>): AsyncGenerator<ExportRow, undefined> {
  for await (const rows of pages) yield* rows;
  return undefined;
}

interface StreamRow {
  stream: Stream;
  row: ExportRow;
}

/** What is derived gets its `after`, in the form of the log's. */
async function described(db: Db, taken: StreamRow[]): Promise<ExportRow[]> {
  const ids = taken.flatMap(({ stream, row }) => (stream === divided ? [`${row.subject}`] : []));
  const divisions = ids.length === 0 ? new Map<string, DivisionDetail>() : await divisionsOf(db, ids);
  return taken.map(({ stream, row }) => {
    if (stream === recorded) return row;
    const { sats, recipient, currency } = row;
    const fiat = (minor: ExportRow[string] = null) =>
      typeof minor === 'bigint' ? formatDecimal(minor, Number(row.digits)) : null;
    const after =
      stream === formed
        ? { recipient, sats, fiat: fiat(row.fiat), currency }
        : stream === settled
          ? { recipient, sats }
          : divisionOf(row, divisions.get(`${row.subject}`), fiat);
    return { ...row, before: null, after: toJson(after) };
  });
}

/** What is not in the cash-out itself, or not any more. */
interface DivisionDetail {
  allocations: {
    client: string;
    funding: string;
    fiat: bigint;
    gross: bigint;
    commission: bigint;
    net: bigint;
  }[];
  /** Its figures before cash that was entered late got a part of the own share, where that happened. */
  first: Partial<ExportRow> | undefined;
}

async function divisionsOf(db: Db, ids: string[]): Promise<Map<string, DivisionDetail>> {
  const allocations = await db
    .selectFrom('allocations as a')
    .innerJoin('recipients as c', 'c.id', 'a.client_id')
    .select(['a.cash_out_id', 'c.name', 'a.funding_id', 'a.fiat', 'a.gross', 'a.commission', 'a.net'])
    .where('a.cash_out_id', 'in', ids)
    .orderBy('a.id')
    .execute();
  const late = await db
    .selectFrom('log')
    .select(['subject', 'before', 'after'])
    .where('action', '=', 'cash-out from own')
    .where('subject', 'in', ids)
    .orderBy('id')
    .execute();
  return new Map(
    ids.map((id) => {
      const changes = late.filter(({ subject }) => subject === id).map((row) => fromOwn(row));
      const lateFundings = new Set(changes.map(({ funding }) => funding));
      const division = allocations
        .filter((one) => one.cash_out_id === id && !lateFundings.has(`f${one.funding_id}`))
        .map(({ name, funding_id, fiat, gross, commission, net }) => ({
          ...{ client: name, funding: `f${funding_id}`, fiat, gross, commission, net },
        }));
      return [id, { allocations: division, first: changes[0]?.before }];
    }),
  );
}

/** As `ledger/fundings/late.ts` records it. */
function fromOwn({ before, after }: { before: string | null; after: string | null }) {
  const was = JSON.parse(before ?? '{}') as Record<string, string>;
  const { funding } = JSON.parse(after ?? '{}') as { funding: string };
  const { own_fiat = '', own_sats: own = '', net_sats: net = '', commission_sats: commission = '' } = was;
  return { funding, before: { own_fiat, own, net, commission } };
}

function divisionOf(
  row: ExportRow,
  division: DivisionDetail | undefined,
  fiat: (minor: ExportRow[string]) => string | null,
) {
  const {
    machine,
    begun_at_machine: begun = null,
    confirmed_at,
    currency,
    gross,
    commission,
    net,
    own,
  } = row;
  const { allocations = [], first } = division ?? {};
  return {
    ...{
      machine,
      ...(begun === null ? {} : { begun_at_machine: begun }),
      confirmed_at,
      currency,
      fiat: fiat(row.fiat ?? null),
      own_fiat: fiat(row.own_fiat ?? null),
    },
    ...{ gross, commission, net, own, ...first },
    allocations: allocations.map((one) => ({ ...one, fiat: fiat(one.fiat) })),
  };
}
