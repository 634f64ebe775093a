import * as z from 'zod';
import { BridgeError, invalid, notFound } from '../errors.ts';
import { changePages, countChanges } from '../export/change-stream.ts';
import { formatted, isTrade } from '../export/format.ts';
import { type ExportKind, type KindName, kinds } from '../export/kinds.ts';
import { countRows, pages } from '../export/rows.ts';
import { noExportTotals, totalsOf, withTotals } from '../export/totals.ts';
import type { Who } from '../ledger/log/log.ts';
import type { Db } from '../ledger/store/open.ts';
import { call, message } from '../lib/message.ts';
import { parseRange } from '../typed/range.ts';
import { exportView, viewOfTotals } from '../views/export.ts';
import { clientOf, operation, ownerOf } from './operation.ts';

export type { Format } from '../export/format.ts';
export type { KindName } from '../export/kinds.ts';

/**
 * Hands rows for bookkeeping to `take` of the session, a page at a time. Errors: `usage/invalid` for a range or a
 * client, `export/stopped`, and what `take` throws.
 */
export const exportRows = operation({
  name: 'export.make',
  needs: 'read',
  may: ['bookkeeper', 'client'],
  errors: ['export/stopped', 'output/unwritable'],
  input: z.strictObject({
    kind: z.enum(Object.keys(kinds) as [KindName, ...KindName[]]),
    format: exportView.shape.format.default('csv'),
    from: z.string().optional(),
    to: z.string().optional(),
    month: z.string().optional(),
    /** Only what concerns this client; a client gets no other rows. */
    client: z.string().optional(),
  }),
  view: exportView,
  run: async ({ ledger: { db }, config, stopSignal, who, take, watch }, input) => {
    const { kind: what, format } = input;
    refuseOthersRows(who, what);
    if (isTrade(format) && what !== 'allocations') {
      const way = message`${call('export.make', { kind: 'allocations', format })} has the purchases.`;
      throw invalid('format', `${format} is for purchases`, way);
    }
    const range = parseRange(input, config.timezone);
    const kind: ExportKind = kinds[what];
    const client = await clientId(db, kind, clientOf(who, input.client));
    const changes = {
      ...{ ...range, actor: null },
      about: client === null ? null : { subjects: [], recipient: client },
    };
    const choice = { ...range, client };
    const all = what === 'changes' ? changePages(db, changes) : pages(db, kind, choice);
    const count = () => (what === 'changes' ? countChanges(db, changes) : countRows(db, kind, choice));
    const totals = noExportTotals();
    const rows = withTotals(kind, watch(untilStopped(all, stopSignal()), count), totals);
    const complete = await take({ pages: rows, text: () => formatted(kind, rows, format, config.timezone) });
    return { what, format, ...viewOfTotals(kind, totals), complete };
  },
});

/** The totals of what an export has, without its rows. */
export const sumExport = operation({
  name: 'export.totals',
  needs: 'read',
  may: ['bookkeeper'],
  errors: [],
  input: z.strictObject({
    kind: z.enum(['cash-outs', 'allocations', 'commission', 'fundings', 'payouts']),
    from: z.string().optional(),
    to: z.string().optional(),
    month: z.string().optional(),
  }),
  view: exportView.pick({ what: true, rows: true, totals: true }),
  run: async ({ ledger: { db }, config }, { kind: what, ...range }) => {
    const kind: ExportKind = kinds[what];
    const totals = await totalsOf(db, kind, parseRange(range, config.timezone));
    return { what, ...viewOfTotals(kind, totals) };
  },
});

/**
 * What a client may export: each of these rows belongs to one client. Others have figures of a whole cash-out, or of
 * the operator.
 */
const OF_ONE_CLIENT: readonly KindName[] = ['allocations', 'payouts', 'fundings'];

function refuseOthersRows(who: Who, kind: KindName): void {
  const client = ownerOf(who);
  if (client === undefined || OF_ONE_CLIENT.includes(kind)) return;
  throw new BridgeError(
    'usage/forbidden',
    `${client} may not export ${kind}.`,
    `What a client may export: ${OF_ONE_CLIENT.join(', ')}.`,
    { field: 'kind' },
  );
}

async function clientId(db: Db, kind: ExportKind, name: string | undefined): Promise<bigint | null> {
  if (name === undefined) return null;
  if (kind.client === null) {
    throw invalid(
      'client',
      'the commission goes to its recipients, not to clients',
      message`${call('export.make', { kind: 'allocations', client: name })} has the commission on that client's share.`,
    );
  }
  const row = await db
    .selectFrom('recipients')
    .select('id')
    .where('kind', '=', 'client')
    .where('name', '=', name)
    .executeTakeFirst();
  if (row) return row.id;
  throw notFound(
    'client',
    `there is no client ${JSON.stringify(name)}`,
    message`${call('clients.list')} shows the names.`,
  );
}

async function* untilStopped<T>(pages: AsyncIterable<T[]>, signal: AbortSignal): AsyncGenerator<T[], void> {
  for await (const page of pages) {
    if (signal.aborted) {
      throw new BridgeError(
        'export/stopped',
        'The export was stopped before its end.',
        'Printed output is incomplete; a file was not written.',
      );
    }
    yield page;
  }
}
