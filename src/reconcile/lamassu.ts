import { type Currencies, currencyDigits } from '../dca/currency.ts';
import { localDate } from '../dca/local-time.ts';
import { formatDecimal } from '../dca/money.ts';
import { verdictOn } from '../judging/judging.ts';
import { isHeld } from '../judging/review-reasons.ts';
import type { Judged, Rules } from '../lamassu/eligibility.ts';
import type { LamassuRow } from '../lamassu/row.ts';
import type { Source } from '../lamassu/source.ts';
import type { KnownRow } from '../ledger/cash-outs/known.ts';
import type { Mark } from '../ledger/cash-outs/watermark.ts';
import { type Names, readNames } from '../ledger/store/names-by-id.ts';
import type { Db } from '../ledger/store/open.ts';
import { machineText } from '../lib/machine-label.ts';
import type { Instant } from '../time.ts';
import { type ComparedRange, type DifferenceCode, type Findings, isIn } from './findings.ts';
import { isAccepted, type RecordedCashOut, sinceSettled } from './settled.ts';

/** The cash-outs of one machine on one local day; `fiat` in minor units. */
export interface DaySums {
  cashOuts: number;
  fiat: bigint;
  gross: bigint;
}

export interface Day {
  date: string;
  machine: string;
  machineName: string | null;
  currency: string;
  digits: number;
  ledger: DaySums;
  lamassu: DaySums;
}

export interface LamassuComparison {
  rules: Rules;
  timezone: string;
  range: ComparedRange;
  /** How far the ledger had read; null: not at all. */
  mark: Mark | null;
  /** Cash-outs that were processed later may be missing in this snapshot of `source`. */
  processedBefore: Instant;
}

const PAGE = 500;

/**
 * Compares every row of Lamassu in the range with the ledger, and every processed cash-out with Lamassu: the row is
 * judged again, and has to give the same figures. Returns the sums per day and machine of the cash-outs of each side.
 */
export async function reconcileLamassu(
  db: Db,
  source: Source<KnownRow>,
  options: LamassuComparison,
  findings: Findings,
): Promise<Day[]> {
  const { rules, range } = options;
  const { machines } = await readNames(db);
  const days = new Days(options.timezone, rules.currencies, machines);
  const comparing = { options, days, findings };
  const seen = new Set<string>();
  const wanted = (row: LamassuRow) => isIn(range, row.confirmed_at ?? '');
  for await (const page of source.confirmedSince(range.from ?? rules.startAt, {
    before: range.before,
    wanted,
  })) {
    await reconcileRows(db, page, comparing);
    for (const { row } of page) seen.add(row.id);
  }
  // Cash-outs that Lamassu shows with another time, or not at all.
  for await (const page of processedIn(db, options)) {
    const missed = page.filter(({ id }) => !seen.has(id));
    const found = await source.byIds(missed.map(({ id }) => id));
    const rows = new Map(found.map((one) => [one.row.id, one]));
    for (const cashOut of missed)
      await reconcileOne(db, { cashOut, judged: rows.get(cashOut.id) }, comparing);
  }
  findings.count('other_sources', await countOthers(db, 'other', options));
  findings.count('external', await countOthers(db, 'external', options));
  return days.concluded(findings);
}

/** A comparison that is going on, and what it has found. */
interface Comparing {
  options: LamassuComparison;
  days: Days;
  findings: Findings;
}

async function reconcileRows(db: Db, page: Judged<KnownRow>[], comparing: Comparing): Promise<void> {
  const { options, days, findings } = comparing;
  if (page.length === 0) return;
  const ids = page.map(({ row }) => row.id);
  const cashOuts = new Map(
    (await db.selectFrom('cash_outs').selectAll().where('id', 'in', ids).execute()).map((row) => [
      row.id,
      row,
    ]),
  );
  findings.count('lamassu_rows', page.length);
  for (const judged of page) {
    const { row, known } = judged;
    const cashOut = cashOuts.get(row.id);
    if (cashOut) {
      await reconcileOne(db, { cashOut, judged }, comparing);
      continue;
    }
    const verdict = await verdictOn(db, judged);
    if (!verdict.eligible) {
      if (isHeld(verdict.reason)) findings.count('waiting_for_a_person', 1);
    } else if (known.review?.reason === 'clock' && known.review.state === 'open') {
      findings.count('waiting_for_a_person', 1);
    } else if (isBehind(row, options.mark)) {
      const { confirmedAt, machine, fiat, distributed, currency, digits } = verdict.cashOut;
      const other = `eligible: ${formatDecimal(fiat, digits)} ${currency}, ${distributed} sat, confirmed at ${confirmedAt}`;
      findings.addOf(row.id, 'cash-out/not-processed', 'nothing', other);
      days.add('lamassu', { confirmed_at: confirmedAt, machine, currency, fiat, gross: distributed });
    } else {
      findings.count('not_read_yet', 1);
    }
  }
}

/** Whether a run has read past this row. */
function isBehind({ id, confirmed_at: at }: LamassuRow, mark: Mark | null): boolean {
  if (mark === null || at === null) return false;
  return at < mark.confirmedAt || (at === mark.confirmedAt && id <= mark.id);
}

/** One cash-out of the ledger against its row, if Lamassu has it. */
async function reconcileOne(
  db: Db,
  { cashOut, judged }: { cashOut: RecordedCashOut; judged: Judged | undefined },
  { options: { rules }, days, findings }: Comparing,
): Promise<void> {
  const differs = (code: DifferenceCode, ledger: string, other: string) =>
    findings.addOf(cashOut.id, code, ledger, other);
  const row = judged?.row;
  findings.count('cash_outs', 1);
  if (cashOut.origin === 'external') {
    if (row) differs('cash-out/external-in-lamassu', 'settled as unknown to Lamassu', rowText(row));
    return;
  }
  // The operator has accepted what Lamassu says now, so nothing is left to compare.
  if (cashOut.origin === 'lamassu' && row && (await isAccepted(db, row))) {
    findings.count('accepted', 1);
    return;
  }
  if (cashOut.origin === 'lamassu') days.add('ledger', cashOut);
  if (!judged || !row) {
    differs(
      'cash-out/not-in-lamassu',
      `${cashOut.gross} sat, confirmed at ${cashOut.confirmed_at}`,
      'nothing',
    );
    return;
  }
  const { judgement } = judged;
  if (cashOut.origin === 'settled') {
    const since = sinceSettled(cashOut, row, judgement);
    if (since !== null && !(await isAccepted(db, row)))
      differs('cash-out/settled-differs', `settled: ${settledText(cashOut, rules.currencies)}`, since);
    return;
  }
  if (!judgement.eligible) {
    differs('cash-out/not-eligible', 'distributed', judgement.detail);
    return;
  }
  const today = judgement.cashOut;
  days.add('lamassu', { ...today, gross: today.distributed, confirmed_at: today.confirmedAt });
  const money = (minor: bigint) => `${formatDecimal(minor, today.digits)} ${today.currency}`;
  // Earlier versions counted a cash-out by the machine where it was begun.
  if (cashOut.machine !== today.machine && cashOut.machine === today.begunAt && !wasTold(cashOut))
    differs(
      'cash-out/other-machine',
      `machine ${days.label(cashOut.machine)}`,
      `cash from machine ${days.label(today.machine)}`,
    );
  else if (cashOut.machine !== today.machine)
    differs(
      'cash-out/differs',
      `machine ${days.label(cashOut.machine)}`,
      `machine ${days.label(today.machine)}`,
    );
  const pairs: [string, string, string][] = [
    [
      'begun at machine',
      days.label(begunAt(cashOut)),
      days.label(begunAt({ ...today, begun_at_machine: today.begunAt ?? null })),
    ],
    ['confirmed_at', cashOut.confirmed_at, today.confirmedAt],
    ['fiat', `${formatDecimal(cashOut.fiat, today.digits)} ${cashOut.currency}`, money(today.fiat)],
    ['gross', `${cashOut.gross} sat`, `${today.distributed} sat`],
  ];
  for (const [name, then, since] of pairs)
    if (then !== since) differs('cash-out/differs', `${name} ${then}`, `${name} ${since}`);
}

/** Whether the notes that Lamassu logged were known when the ledger divided the cash-out. */
function wasTold({ lamassu }: RecordedCashOut): boolean {
  return lamassu !== null && 'actions' in (JSON.parse(lamassu) as object);
}

function begunAt({
  machine,
  begun_at_machine: begun,
}: Pick<RecordedCashOut, 'machine' | 'begun_at_machine'>): string {
  return begun ?? machine;
}

function settledText({ fiat, currency, gross }: RecordedCashOut, currencies: Currencies): string {
  return `${formatDecimal(fiat, currencyDigits(currency, currencies) ?? 0)} ${currency}, ${gross} sat`;
}

function rowText({ fiat, fiat_code, crypto_atoms, status }: LamassuRow): string {
  return `${fiat} ${fiat_code}, ${crypto_atoms} atoms, ${status}`;
}

async function* processedIn(
  db: Db,
  { rules, range, processedBefore }: LamassuComparison,
): AsyncGenerator<RecordedCashOut[]> {
  for (let after = ''; ; ) {
    const page = await db
      .selectFrom('cash_outs')
      .selectAll()
      .where('source', '=', rules.source)
      .where('id', '>', after)
      .where('processed_at', '<', processedBefore)
      .$if(range.from !== null, (query) => query.where('confirmed_at', '>=', range.from ?? ''))
      .$if(range.before !== null, (query) => query.where('confirmed_at', '<', range.before ?? ''))
      .orderBy('id')
      .limit(PAGE)
      .execute();
    yield page;
    const last = page.at(-1)?.id;
    if (last === undefined) return;
    after = last;
  }
}

/** Cash-outs of other Lamassu servers (their own bridges compare those), and cash-outs that no Lamassu ever saw. */
async function countOthers(
  db: Db,
  which: 'other' | 'external',
  { rules, range }: LamassuComparison,
): Promise<bigint> {
  const { count } = await db
    .selectFrom('cash_outs')
    .select((eb) => eb.fn.countAll<bigint>().as('count'))
    .where('source', '<>', rules.source)
    .where('origin', which === 'external' ? '=' : '<>', 'external')
    .$if(range.from !== null, (query) => query.where('confirmed_at', '>=', range.from ?? ''))
    .$if(range.before !== null, (query) => query.where('confirmed_at', '<', range.before ?? ''))
    .executeTakeFirstOrThrow();
  return count;
}

class Days {
  readonly #timezone: string;
  readonly #currencies: Currencies;
  readonly #machines: Names['machines'];
  readonly #days = new Map<string, Day>();

  constructor(timezone: string, currencies: Currencies, machines: Names['machines']) {
    this.#timezone = timezone;
    this.#currencies = currencies;
    this.#machines = machines;
  }

  /** The machine as texts name it. */
  label(machine: string): string {
    return machineText(machine, this.#machines.get(machine) ?? null);
  }

  add(
    side: 'ledger' | 'lamassu',
    {
      confirmed_at,
      machine,
      currency,
      fiat,
      gross,
    }: Pick<RecordedCashOut, 'confirmed_at' | 'machine' | 'currency' | 'fiat' | 'gross'>,
  ): void {
    const date = localDate(confirmed_at, this.#timezone);
    const key = `${date} ${machine} ${currency}`;
    const none = (): DaySums => ({ cashOuts: 0, fiat: 0n, gross: 0n });
    const digits = currencyDigits(currency, this.#currencies) ?? 0;
    const day = this.#days.get(key) ?? {
      ...{ date, machine, machineName: this.#machines.get(machine) ?? null, currency, digits },
      ...{ ledger: none(), lamassu: none() },
    };
    const sums = day[side];
    sums.cashOuts += 1;
    sums.fiat += fiat;
    sums.gross += gross;
    this.#days.set(key, day);
  }

  concluded(findings: Findings): Day[] {
    const days = [...this.#days.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, day]) => day);
    for (const { date, machine, currency, digits, ledger, lamassu } of days) {
      const text = ({ cashOuts, fiat, gross }: DaySums) =>
        `${cashOuts} ${cashOuts === 1 ? 'cash-out' : 'cash-outs'}, ${formatDecimal(fiat, digits)} ${currency}, ${gross} sat`;
      if (text(ledger) !== text(lamassu))
        findings.add('day/sums', `${date}, machine ${this.label(machine)}`, text(ledger), text(lamassu));
    }
    findings.count('days', days.length);
    return days;
  }
}
