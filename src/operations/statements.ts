import * as z from 'zod';
import { invalid } from '../errors.ts';
import { localTimes } from '../export/format.ts';
import { findClient } from '../ledger/clients/clients.ts';
import { readStatement } from '../ledger/clients/statement.ts';
import { waitsNow } from '../scheduler/due.ts';
import { statementCsv } from '../statement/as-csv.ts';
import { statementHtml } from '../statement/as-html.ts';
import { statementText } from '../statement/as-text.ts';
import type { ClientStatement } from '../statement/client-statement.ts';
import { type Language, languages } from '../statement/languages.ts';
import { localMonth } from '../typed/months.ts';
import { parseName } from '../typed/names.ts';
import { parseMonth } from '../typed/range.ts';
import { statementView, viewOfStatement } from '../views/statements.ts';
import { assertOwn, operation } from './operation.ts';

/** A client's account of one local month: as data, and written in a language where a format is asked for. */
export const showStatement = operation({
  name: 'clients.statement',
  needs: 'read',
  may: ['bookkeeper', 'client'],
  errors: [],
  input: z.strictObject({
    name: z.string(),
    /** `2026-11` */
    month: z.string(),
    format: z.enum(['text', 'csv', 'html']).optional(),
    lang: z.enum(languages).default('en'),
  }),
  view: statementView,
  run: async ({ clock, ledger, config, who }, given) => {
    const { timezone } = config;
    const name = parseName(given.name, 'name');
    assertOwn(who, name);
    const { from, before } = parseMonth(given.month, timezone);
    const now = clock.now();
    if (from > now) {
      const hint = `The newest month is ${localMonth(now, timezone)}.`;
      throw invalid('month', `${given.month} has not begun yet`, hint);
    }
    const client = await findClient(ledger.db, name, now, 'name');
    const isRunning = now < before;
    const statement: ClientStatement = {
      ...{ client: client.name, month: given.month, timezone, isRunning, until: isRunning ? now : before },
      payday: isRunning ? await paydayOf({ db: ledger.db, clock }, config, client.name) : null,
      currencies: await readStatement(ledger.db, client, from, before),
    };
    const { format, lang } = given;
    const document = format === undefined ? null : written(statement, format, lang);
    return viewOfStatement(statement, { from, before }, document);
  },
});

/** What waits for the next time of fixed mode. */
async function paydayOf(
  ledger: Parameters<typeof waitsNow>[0],
  config: Parameters<typeof waitsNow>[1],
  client: string,
): Promise<ClientStatement['payday']> {
  const waits = await waitsNow(ledger, config);
  const own = waits.find(
    (one) => one.kind === 'client' && one.recipient === client && one.reason === 'fixed-time',
  );
  return own?.until ? { at: own.until, sats: own.sats } : null;
}

function written(statement: ClientStatement, format: 'text' | 'csv' | 'html', language: Language): string {
  if (format === 'csv') {
    const local = localTimes(statement.timezone);
    // Spreadsheets do not read a time with an offset as one.
    return statementCsv(statement, language, (at) => local(at).slice(0, 19).replace('T', ' '));
  }
  return format === 'html' ? statementHtml(statement, language) : `${statementText(statement, language)}\n`;
}
