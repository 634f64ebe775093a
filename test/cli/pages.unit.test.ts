import { stripVTControlCharacters } from 'node:util';
import stringWidth from 'string-width';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type * as z from 'zod';
import * as cashOut from '../../src/cli/pages/cash-out.ts';
import * as client from '../../src/cli/pages/client.ts';
import * as clock from '../../src/cli/pages/clock.ts';
import * as commission from '../../src/cli/pages/commission.ts';
import * as credit from '../../src/cli/pages/credit.ts';
import * as doctor from '../../src/cli/pages/doctor.ts';
import * as funding from '../../src/cli/pages/funding.ts';
import { initPage } from '../../src/cli/pages/init.ts';
import * as ledger from '../../src/cli/pages/ledger.ts';
import * as machine from '../../src/cli/pages/machine.ts';
import * as payout from '../../src/cli/pages/payout.ts';
import * as poll from '../../src/cli/pages/poll.ts';
import * as purchase from '../../src/cli/pages/purchase.ts';
import * as reconciliation from '../../src/cli/pages/reconciliation.ts';
import * as review from '../../src/cli/pages/review.ts';
import * as settlement from '../../src/cli/pages/settlement.ts';
import * as status from '../../src/cli/pages/status.ts';
import * as verification from '../../src/cli/pages/verification.ts';
import { waitLines } from '../../src/cli/pages/waits.ts';
import * as withdrawal from '../../src/cli/pages/withdrawal.ts';
import { inCommandWords } from '../../src/cli/terminal/words.ts';
import { fittedPage } from '../../src/cli/terminal/wrap.ts';
import { call, type Message } from '../../src/lib/message.ts';
import { countedReason, reasonWords } from '../../src/lib/reason-words.ts';
import * as cashOutViews from '../../src/views/cash-outs.ts';
import * as clientViews from '../../src/views/clients.ts';
import * as clockViews from '../../src/views/clock.ts';
import * as commissionViews from '../../src/views/commission.ts';
import * as creditViews from '../../src/views/credits.ts';
import * as doctorViews from '../../src/views/doctor.ts';
import { callView, fiat, instant, price, rate } from '../../src/views/fields.ts';
import * as fundingViews from '../../src/views/fundings.ts';
import { madeView } from '../../src/views/init.ts';
import * as ledgerViews from '../../src/views/ledger.ts';
import * as machineViews from '../../src/views/machines.ts';
import * as payoutViews from '../../src/views/payouts.ts';
import * as purchaseViews from '../../src/views/purchases.ts';
import * as reconciliationViews from '../../src/views/reconciliation.ts';
import * as reviewViews from '../../src/views/review.ts';
import * as runViews from '../../src/views/run.ts';
import * as settlementViews from '../../src/views/settlements.ts';
import * as statusViews from '../../src/views/status.ts';
import * as verificationViews from '../../src/views/verification.ts';

/*
 * Every page, of views with long but real values, on a terminal of 80 columns: no line is wider, and no word is broken
 * that fits its place. The views are made from their schemas.
 */

const COLUMNS = 80;
const room = vi.hoisted(() => ({ columns: 80 }));

vi.mock('../../src/cli/terminal/wrap.ts', async (original) => ({
  ...(await original<object>()),
  widthOf: () => room.columns,
}));

const ZONE = 'America/Guatemala';
const MACHINES = ['7a1f4c2e9b8d4f60a3c5e7910b2d4f68', '69ad9e8195d74ee1b0c0f6a4c8f1d2e3'].map(
  (half) => half + half,
);
const SENTENCE =
  'the source wallet holds 123,456 sat, less than the 123,456,789 sat due, and LNbits answered in the meantime with an error (HTTP 520) that nobody had expected';

/** A value for each name in a view that is not told by its type. */
const NAMED = {
  machine: (variant) => MACHINES[variant % 2] ?? '',
  machine_name: (variant) => ['Estación Central de Antigua 01', 'Plaza'][variant % 2] ?? '',
  client: () => 'maria-fernanda.rodriguez_lopez',
  cash_out: () => '48a260bc-57ed-417f-9f35-b1543d99461a',
  payout: () => 'p1234',
  funding: () => 'f1234',
  currency: () => 'GTQ',
  hash: () => '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  wallet: () => '354c3dfdb25f40f59226408854852dc0',
  url: () => 'postgresql://aio_dca@ledger.example.org:5432/aio_dca',
  sentence: () => SENTENCE,
  code: () => 'lnbits/wallet-full',
  review_reason: () => 'dispense-unconfirmed',
  word: () => 'deferred',
  version: () => '0.2.0',
  run: () => 'r1234',
  credit: () => 'c1234',
} satisfies Record<string, (variant: number) => string>;
type Named = keyof typeof NAMED;
const KINDS: Record<string, Named> = {
  ...{ begun_at_machine: 'machine', replaced_by: 'machine', replaces: 'machine' },
  ...{
    begun_at_machine_name: 'machine_name',
    replaced_by_name: 'machine_name',
    replaces_name: 'machine_name',
  },
  ...{
    recipient: 'client',
    clients: 'client',
    actor: 'client',
    by: 'client',
    closed_by: 'client',
    name: 'client',
  },
  ...{ cash_outs: 'cash_out', id: 'cash_out', row: 'cash_out', payouts: 'payout', fundings: 'funding' },
  ...{
    source: 'word',
    state: 'word',
    outcome: 'word',
    kind: 'word',
    commission_method: 'word',
    action: 'word',
  },
  ...{
    last_run: 'run',
    broken_off: 'run',
    digest: 'hash',
    mode: 'word',
    from: 'word',
    status: 'word',
    funding: 'funding',
  },
  ...{ payment_hash: 'hash', payments: 'hash', wallet_id: 'wallet', allocations: 'funding', held: 'payout' },
};

/** A view by its schema. */
function sample(
  schema: z.ZodType,
  name: string,
  variant: number,
  path: string,
  kinds: Record<string, Named>,
): unknown {
  const { def } = schema as unknown as { def: Record<string, unknown> & { type: string } };
  const inner = (one: unknown, as = name, next = variant) => sample(one as z.ZodType, as, next, path, kinds);
  if (schema === fiat || schema === price) return '123456789.00';
  if (schema === rate) return '0.05500';
  if (schema === instant) return '2026-11-20T10:00:00.123456Z';
  if (schema === callView) return { operation: 'review.list', args: {} };
  switch (def.type) {
    case 'object':
      return Object.fromEntries(
        Object.entries(def.shape as Record<string, z.ZodType>).map(([key, one]) => [
          key,
          sample(one, key, variant, `${path}.${key}`, kinds),
        ]),
      );
    case 'array':
      return [inner(def.element), inner(def.element, name, variant + 1)];
    case 'union':
      return inner((def.options as unknown[])[variant % (def.options as unknown[]).length]);
    case 'nullable':
      return variant % 3 === 2 ? null : inner(def.innerType);
    case 'optional':
      return variant % 3 === 2 ? undefined : inner(def.innerType);
    case 'default':
    case 'nonoptional':
      return inner(def.innerType);
    case 'record':
      return record(name, def.valueType as z.ZodType, variant, path, kinds);
    case 'enum':
      return Object.values(def.entries as object)[variant % Object.values(def.entries as object).length];
    case 'literal':
      return (def.values as unknown[])[0];
    case 'boolean':
      return variant % 2 === 0;
    case 'bigint':
      return name.endsWith('msat') ? 123_456_789_000n : name.endsWith('sats') ? 123_456_789n : 1_234n;
    case 'number':
      return 1_234;
    case 'null':
      return null;
    case 'unknown':
    case 'custom':
    case 'string':
      return NAMED[kinds[name] ?? KINDS[name] ?? (name in NAMED ? (name as Named) : 'sentence')](variant);
    default:
      throw new Error(`${path}: no value for ${def.type}`);
  }
}

function record(
  name: string,
  value: z.ZodType,
  variant: number,
  path: string,
  kinds: Record<string, Named>,
): unknown {
  if (/^lamassu/.test(name)) {
    return {
      ...{
        id: NAMED.cash_out(),
        device_id: MACHINES[variant % 2],
        fiat: '123456789.00000',
        fiat_code: 'GTQ',
      },
      ...{ error: SENTENCE, actions: '[]', to_address: `lnbc${'x'.repeat(200)}` },
    };
  }
  const keys: Record<string, string[]> = {
    outside_rates: ['f1234', 'f1235'],
    checked: ['cash_outs', 'wallets', 'payments', 'lamassu_rows', 'sats_settled'],
    rows: ['cash_outs'],
    not_yet: ['not-dispensed', 'dispense-unconfirmed', 'before-start'],
    args: [],
  };
  return Object.fromEntries(
    (keys[name] ?? ['GTQ', 'USD']).map((key) => [key, sample(value, name, variant, `${path}.${key}`, kinds)]),
  );
}

type Text = string | Message | string[];
// biome-ignore lint/suspicious/noExplicitAny: each page takes its own view, which its schema makes.
type Page = (view: any) => Text;
const of = (schema: z.ZodType, page: Page): [z.ZodType, Page] => [schema, page];
/** A page of a list. */
const ofList = (schema: z.ZodType, page: Page): [z.ZodType, Page] => [schema.array(), page];

const pages: Record<string, [z.ZodType, Page]> = {
  'cash-outs list': ofList(cashOutViews.cashOutView, (view) => cashOut.cashOutTable(view, ZONE)),
  'cash-outs show': of(cashOutViews.cashOutDetailView, (view) => cashOut.cashOutPage(view, ZONE)),
  'clients list': ofList(clientViews.clientView, client.clientsPage),
  'clients show': of(clientViews.shownClientView, (view) => client.shownClientPage(view, ZONE)),
  'clients add': of(clientViews.clientView, client.addedClientPage),
  'clients set': of(clientViews.changedClientView, (view) => client.changedClientPage(view, ZONE)),
  'clients pause': of(clientViews.clientView, client.pausedClientPage),
  'clients resume': of(clientViews.clientView, client.resumedClientPage),
  'clock show': of(clockViews.clocksView, (view) => clock.clocksPage(view, ZONE)),
  'commission add': of(commissionViews.changedRecipientView, (view) =>
    commission.addedRecipientPage(view, false),
  ),
  'commission set': of(commissionViews.changedRecipientView, commission.changedPage),
  'commission remove': of(commissionViews.changedRecipientView, (view) =>
    commission.removedPage(view, 'Antigua'),
  ),
  'commission list': ofList(commissionViews.commissionRecipientView, commission.recipientsPage),
  'credits list': ofList(creditViews.listedCreditView, (view) => credit.creditTable(view, ZONE)),
  'credits show': of(creditViews.creditView, (view) => credit.creditPage(view, ZONE)),
  doctor: of(doctorViews.doctorView, (view) => [
    ...view.checks.map((check: z.output<typeof doctorViews.checkView>) => doctor.checkLine(check, ZONE)),
    doctor.doctorPage(view),
  ]),
  'fundings list': ofList(fundingViews.fundingView, (view) => funding.fundingsPage(view, ZONE)),
  'fundings show': of(fundingViews.shownFundingView, (view) => funding.fundingPage(view, ZONE)),
  'fundings add': of(fundingViews.enteredFundingView, (view) => funding.addedFundingPage(view, ZONE)),
  'fundings confirm': of(fundingViews.enteredFundingView, (view) => funding.confirmedPage(view, ZONE)),
  'fundings withdraw': of(fundingViews.withdrawnFundingView, (view) => withdrawal.withdrawnPage(view, ZONE)),
  'fundings adjust': of(fundingViews.adjustedFundingView, (view) => funding.adjustedPage(view, ZONE)),
  'fundings cancel': of(fundingViews.checkedFundingView, (view) => funding.cancelledPage(view, ZONE)),
  'fundings move': of(fundingViews.checkedFundingView, (view) => funding.movedFundingPage(view, ZONE)),
  backup: of(ledgerViews.backupView, ledger.backupPage),
  'ledger recover': of(ledgerViews.recoveryView, (view) => ledger.recoveryPage(view, ZONE)),
  'ledger source': of(ledgerViews.comparedSourceView, (view) => ledger.sourcePage(view, ZONE)),
  'machines list': ofList(machineViews.machineView, (view) => machine.machinesPage(view, ZONE)),
  'machines show': of(machineViews.shownMachineView, (view) => machine.machinePage(view, ZONE)),
  'machines set': of(machineViews.changedMachineView, (view) => machine.changedMachinePage(view, ZONE)),
  'machines replace': of(machineViews.replacedMachineView, (view) => machine.replacedPage(view, ZONE)),
  'payouts list': ofList(payoutViews.payoutView, (view) => payout.payoutTable(view, ZONE)),
  'payouts show': of(payoutViews.payoutDetailView, (view) => payout.payoutPage(view, ZONE)),
  'payouts retry': of(payoutViews.payoutView, payout.statePage),
  'payouts hold --all': of(payoutViews.heldAllView, payout.heldAllPage),
  'payouts release --all': of(
    payoutViews.heldPayoutsView,
    (view) => payout.releaseQuestion(view)?.page ?? '',
  ),
  'payouts overpaid': of(payoutViews.bookedOverpaidView, (view) => payout.overpaidPage(view, ZONE)),
  'payouts pause': of(payoutViews.pauseView, (view) => payout.pausedPayoutsPage(view, ZONE)),
  poll: of(runViews.runView, (view) => poll.runPage(view, ZONE)),
  'poll --dry-run': of(runViews.dryRunView, (view) => poll.dryRunPage(view, ZONE)),
  'fixed run': of(runViews.paidView, (view) => poll.paidLines(view, ZONE)),
  'purchases list': ofList(purchaseViews.purchaseView, (view) => purchase.purchaseTable(view, ZONE)),
  'purchases show': of(purchaseViews.purchaseDetailView, (view) => purchase.purchasePage(view, ZONE)),
  reconcile: of(reconciliationViews.reconciliationView, (view) =>
    reconciliation.reconciliationPage(view, ZONE),
  ),
  'review list': ofList(reviewViews.reviewView, (view) => review.reviewTable(view, ZONE)),
  'review show': of(reviewViews.reviewDetailView, (view) => review.reviewPage(view, ZONE)),
  'review show, not in review': of(reviewViews.unseenRowView, review.unseenPage),
  'review release': of(reviewViews.releasedReviewView, (view) => review.releasedReviewPage(view, ZONE)),
  'review dismiss': of(reviewViews.dismissedView, review.dismissedPage),
  'settle --dry-run': of(settlementViews.settlementView, (view) =>
    settlement.settlementDryRunPage(view, ZONE),
  ),
  settle: of(settlementViews.settlementView, (view) => settlement.settledPage(view, ZONE, true)),
  'settle --void': of(settlementViews.voidedView, (view) => settlement.voidedPage(view, ZONE, true)),
  status: of(statusViews.statusView, (view) => status.statusPage(view, ZONE)),
  verify: of(verificationViews.verificationView, (view) => verification.verificationPage(view, ZONE)),
};

/** What a word of a view is in the pages of a noun. */
const KINDS_OF: Record<string, Record<string, Named>> = {
  fundings: { id: 'funding' },
  machines: { name: 'machine_name', id: 'funding' },
  payouts: { id: 'payout' },
  credits: { id: 'credit' },
  review: { reason: 'review_reason' },
  poll: { reason: 'review_reason' },
  purchases: { id: 'payout' },
};

const terminal = { isTTY: true, columns: COLUMNS } as NodeJS.WriteStream;
const { columns, isTTY } = process.stdout;

beforeAll(() => {
  Object.assign(process.stdout, { columns: COLUMNS, isTTY: true });
});
afterAll(() => {
  Object.assign(process.stdout, { columns, isTTY });
});

function printed(page: Page, view: unknown, width: number): string {
  room.columns = width;
  const text = page(view);
  return fittedPage(inCommandWords(Array.isArray(text) ? text.join('\n') : text), terminal);
}

const words = (text: string) => stripVTControlCharacters(text).split(/[\s│]+/);

/** The words of a page that are broken although they would fit into their line or cell. */
function broken(page: string, whole: Set<string>): string[] {
  return page.split('\n').flatMap((line) => {
    const cells = line.startsWith('│') ? line.slice(1, -1).split('│') : [line];
    return cells.flatMap((cell) => words(cell).filter((word) => !isWhole(word, stringWidth(cell), whole)));
  });
}

function isWhole(word: string, width: number, whole: Set<string>): boolean {
  if (whole.has(word) || !/[\p{L}\p{N}]/u.test(word) || /^[┌├└─┬┴┼┐┤┘]/.test(word)) return true;
  const begun = word.endsWith('…') ? word.slice(0, -1) : null;
  return [...whole].some((one) =>
    begun === null
      ? one.includes(word) && stringWidth(one) > width - 2
      : one.startsWith(begun) && one.length > begun.length,
  );
}

describe.each(Object.entries(pages))('%s', (command, [schema, page]) => {
  const kinds = KINDS_OF[command.split(' ')[0] ?? ''] ?? {};
  test.each([0, 1, 2, 3, 4, 5, 6, 7])('fits 80 columns, variant %i', (variant) => {
    const view = sample(schema, '', variant, '', kinds);
    const text = printed(page, view, COLUMNS);
    const wide = text.split('\n').filter((line) => stringWidth(line) > COLUMNS);
    expect(wide, text).toEqual([]);
    const whole = printed(page, view, 10_000);
    expect(broken(text, new Set(words(whole))), text).toEqual([]);
    // Where a machine has its name and its id, it is written in one way.
    expect(whole).not.toMatch(new RegExp(`(01|Plaza) (${MACHINES.map((one) => one.slice(0, 8)).join('|')})`));
  });
});

test('the page of init has only commands that every shell understands', () => {
  const made = sample(madeView, '', 0, '', { name: 'machine_name' }) as z.output<typeof madeView>;
  const page = initPage(
    { ...made, owner: 'aio-dca', config: '/etc/aio-dca/config.toml' },
    {
      user: 'aio-dca',
      sudo: 'sudo ',
    },
  );
  expect(page).toContain('aio-dca.timer aio-dca-watch.timer \\\n    aio-dca-backup.timer');
  expect(page).not.toMatch(/[{}]/);
  for (const line of page.split('\n').filter((one) => one.includes('.timer')))
    expect(stringWidth(line)).toBeLessThanOrEqual(COLUMNS);
});

test('each reason has words for a number of rows', () => {
  for (const reason of Object.keys(reasonWords))
    expect(countedReason(1, reason)).toMatch(
      /^1 (whose|with|in|error|paid|confirmed|not|never|larger|changed|could) ?/,
    );
  expect(countedReason(1, 'not-dispensed')).toBe('1 whose cash is not out yet');
});

test('the next step of a status is on one line, so that it can be copied', () => {
  const view = sample(statusViews.statusView, '', 0, '', {}) as z.output<typeof statusViews.statusView>;
  const help = call('fundings.add', { client: null, amount: null, any_machine: true, deposited: true });
  const next = { what: 'enter the clients’ cash', help };
  const page = printed((one) => status.statusPage(one, ZONE), { ...view, next }, COLUMNS);
  expect(page).toMatch(/^ *`aio-dca fundings add CLIENT "AMOUNT" --any-machine --deposited`$/m);
});

test('a number of runs has its verb', () => {
  const view = sample(ledgerViews.recoveryView, '', 0, '', {}) as z.output<typeof ledgerViews.recoveryView>;
  const page = (more: object) =>
    printed(
      (one) => ledger.recoveryPage(one, ZONE),
      { ...view, ok: true, differences: [], ...more },
      10_000,
    ).replace(/\s+/g, ' ');
  expect(page({ dry_run: false, other_runs: 1 })).toContain(
    '1 run of another copy, or made after the backup, no longer stops this ledger.',
  );
  expect(page({ dry_run: false, other_runs: 2 })).toContain('no longer stop this ledger.');
  expect(page({ dry_run: true, other_runs: 1 })).toContain('would no longer stop this ledger.');
});

test('who waits is aligned by the width of letters, and what is wrapped stands below its beginning', () => {
  const wait = { kind: 'client' as const, until: null, minimum_sats: null, payouts: ['p1'] };
  const lines = waitLines(
    [
      { ...wait, recipient: '日本', sats: 5n, reason: 'paused', detail: null },
      { ...wait, recipient: 'maria', sats: 12_345n, reason: 'held', detail: 'a reason '.repeat(12).trim() },
    ],
    ZONE,
  ).flatMap((line) => line.split('\n'));
  const starts = lines.map((line) => stringWidth(/^ +(\S+ +[\d,]+ sat +)?/.exec(line)?.[0] ?? ''));
  expect(lines.length).toBeGreaterThan(2);
  expect(new Set(starts)).toEqual(new Set([starts[0]]));
});

test('a dry run names reasons in words, and points at nothing that it did not write', () => {
  const { poll: kinds = {} } = KINDS_OF;
  const dry = sample(runViews.dryRunView, '', 0, '', kinds) as z.output<typeof runViews.dryRunView>;
  const view = { ...dry, dry_run: true, source: { ...dry.source, failed: false, not_yet: { 'no-rate': 2 } } };
  const page = printed((one) => poll.dryRunPage(one, ZONE), view, 10_000).replace(/\s+/g, ' ');
  expect(page).toContain('not paid, or not yet: 2 with an unknown commission');
  expect(page).toContain('dispensing not confirmed, ');
  expect(page).toContain('A run puts them into review. Until then, one of them: aio-dca review show ID');
  expect(page).not.toContain('review list');
  const run = printed((one) => poll.runPage(one, ZONE), { ...view, dry_run: false }, 10_000);
  expect(run).toContain('Look at what waits for the operator: aio-dca review list');
});

test('a run that paid nothing says so', () => {
  const paid = sample(runViews.paidView, '', 0, '', {}) as z.output<typeof runViews.paidView>;
  const payouts = { ...paid.payouts, settled: 0, planned: 0, deferred: 0, unknown: 0, held: 0 };
  const page = (more: object) =>
    printed((one) => poll.paidLines(one, ZONE), { ...paid, payouts, ...more }, 10_000);
  expect(page({ waits: [] })).toContain('Nothing was due, so nothing was paid.');
  const [wait] = paid.waits;
  expect(page({ waits: [{ ...wait, reason: 'fixed-time' }] })).toContain('Nothing was due');
  expect(page({ waits: [{ ...wait, reason: 'next-run' }] })).toMatch(/^Nothing was paid\.$/m);
  expect(page({ payouts: { ...payouts, held: 1 }, waits: [] })).toContain('Nothing was paid. Open: 1 held.');
});
