import * as z from 'zod';
import { catalogue, type ErrorCode } from '../../src/errors.ts';
import { kinds } from '../../src/export/kinds.ts';
import { cashOutDetailView, cashOutsView } from '../../src/views/cash-outs.ts';
import { changedClientView, clientView, shownClientView } from '../../src/views/clients.ts';
import { clocksView } from '../../src/views/clock.ts';
import { changedRecipientView, commissionRecipientView } from '../../src/views/commission.ts';
import { configView } from '../../src/views/config.ts';
import { creditsView, creditView } from '../../src/views/credits.ts';
import { doctorView } from '../../src/views/doctor.ts';
import { exportRowView, exportView } from '../../src/views/export.ts';
import {
  adjustedFundingView,
  checkedFundingView,
  enteredFundingView,
  fundingView,
  shownFundingView,
  withdrawnFundingView,
} from '../../src/views/fundings.ts';
import { madeView } from '../../src/views/init.ts';
import { comparedSourceView, copiedLedgerView, recoveryView } from '../../src/views/ledger.ts';
import { changeView } from '../../src/views/log.ts';
import {
  changedMachineView,
  machineView,
  replacedMachineView,
  shownMachineView,
} from '../../src/views/machines.ts';
import {
  bookedOverpaidView,
  heldAllView,
  pauseView,
  payoutDetailView,
  payoutsView,
  releasedView as releasedPayoutsView,
} from '../../src/views/payouts.ts';
import { invitationView, newTokenView, personView, tokenView } from '../../src/views/people.ts';
import { purchaseDetailView, purchasesView } from '../../src/views/purchases.ts';
import { reconciliationView } from '../../src/views/reconciliation.ts';
import {
  dismissedView,
  releasedReviewView,
  reviewDetailView,
  reviewsView,
  unseenRowView,
} from '../../src/views/review.ts';
import { roleSqlView } from '../../src/views/role-sql.ts';
import { dryRunView, paidView, runView } from '../../src/views/run.ts';
import { settlementView, voidedView } from '../../src/views/settlements.ts';
import { statementView } from '../../src/views/statements.ts';
import { statusView } from '../../src/views/status.ts';
import { verificationView } from '../../src/views/verification.ts';
import { holdAgainstErrors } from './operations.ts';

type Views = z.ZodType[] | (() => Promise<z.ZodType[]>);

/** What each command prints with `--json`: one of these. Null: it prints none. */
export const commandViews: Record<string, Views | null> = {
  backup: async () => [(await import('../../src/operations/backup.ts')).makeBackup.view],
  'cash-outs list': [cashOutsView.shape.rows],
  'cash-outs show': [cashOutDetailView],
  'clients add': [clientView],
  'clients close': [clientView],
  'clients invite': [invitationView],
  'clients list': [z.array(clientView)],
  'clients pause': [clientView],
  'clients resume': [clientView],
  'clients set': [changedClientView],
  'clients show': [shownClientView],
  'clients statement': [statementView],
  'clock restate': async () => [(await import('../../src/operations/clock.ts')).restateEntry.view],
  'clock show': [clocksView],
  'commission add': [changedRecipientView],
  'commission list': [z.array(commissionRecipientView)],
  'commission remove': [changedRecipientView],
  'commission set': [changedRecipientView],
  config: [configView],
  'credits list': [creditsView.shape.rows],
  'credits resolve': [creditView],
  'credits show': [creditView],
  doctor: [doctorView],
  'fixed run': [paidView],
  'fundings add': [enteredFundingView],
  'fundings adjust': [adjustedFundingView],
  'fundings cancel': [checkedFundingView],
  'fundings confirm': [enteredFundingView],
  'fundings list': [z.array(fundingView)],
  'fundings move': [checkedFundingView],
  'fundings show': [shownFundingView],
  'fundings withdraw': [withdrawnFundingView],
  // What is to be done next is there as it is typed.
  init: [madeView.extend({ next: z.array(z.string()) })],
  'ledger copy': [copiedLedgerView],
  'ledger recover': [recoveryView],
  'ledger source': [comparedSourceView],
  log: [z.array(changeView)],
  'machines list': [z.array(machineView)],
  'machines replace': [replacedMachineView],
  'machines set': [changedMachineView],
  'machines show': [shownMachineView],
  metrics: async () => [(await import('../../src/operations/metrics.ts')).showMetrics.view.shape.metrics],
  migrate: async () => [(await import('../../src/operations/migrate.ts')).migrate.view],
  'payouts hold': [payoutDetailView, heldAllView],
  'payouts list': [payoutsView.shape.rows],
  'payouts overpaid': [bookedOverpaidView],
  'payouts pause': [pauseView],
  'payouts release': [payoutDetailView, releasedPayoutsView],
  'payouts resolve': [payoutDetailView],
  'payouts resume': [pauseView],
  'payouts retry': [payoutDetailView],
  'payouts show': [payoutDetailView],
  'people add': [invitationView],
  'people disable': [personView],
  'people enable': [personView],
  'people invite': [invitationView],
  'people list': [z.array(personView)],
  'people set': [personView],
  poll: [runView, dryRunView],
  'purchases list': [purchasesView.shape.rows],
  'purchases show': [purchaseDetailView],
  reconcile: [reconciliationView],
  'review dismiss': [dismissedView],
  'review list': [reviewsView.shape.rows],
  'review release': [releasedReviewView],
  // What can be done is there as it is typed.
  'review show': [
    reviewDetailView.omit({ next: true }).extend({ commands: z.array(z.string()) }),
    unseenRowView.omit({ next: true }).extend({ commands: z.array(z.string()) }),
  ],
  'role-sql': [roleSqlView],
  run: null,
  serve: null,
  settle: [settlementView, voidedView],
  status: [statusView],
  'tokens add': [newTokenView],
  'tokens list': [z.array(tokenView)],
  'tokens revoke': [tokenView],
  verify: [verificationView],
};

// Rows go to stdout, or to the file that is named instead.
for (const [name, kind] of Object.entries(kinds)) {
  const toFile = exportView.omit({ complete: true }).extend({ file: z.string() });
  commandViews[`export ${name}`] = [z.array(exportRowView(kind)), toFile];
}

const errorView = z.object({
  error: z.object({
    code: z.enum(Object.keys(catalogue) as ErrorCode[]),
    message: z.string(),
    hint: z.string().nullable(),
  }),
});

/** The command that arguments name, as it stands in `commandViews`; undefined for none. */
export function commandIn(args: string[]): string | undefined {
  for (const [index, word] of args.entries()) {
    const noun = word === 'deposits' ? 'fundings' : word;
    for (const name of [`${noun} ${args[index + 1]}`, noun]) if (name in commandViews) return name;
  }
  return undefined;
}

/**
 * Holds the document that a command printed with `--json` against its view. Throws with what does not fit, and, for one
 * that `ended` by itself, if what it printed is no JSON.
 */
export async function holdAgainstView(args: string[], stdout: string, ended = true): Promise<void> {
  if (!args.includes('--json')) return;
  const json = documentOf(stdout);
  if (json === undefined) {
    if (ended && stdout !== '' && !/--(help|version)\b/.test(args.join(' ')))
      throw new Error(`aio-dca ${args.join(' ')} printed no JSON:\n${stdout}`);
    return;
  }
  const name = commandIn(args);
  const views = name === undefined ? null : commandViews[name];
  const isError = typeof json === 'object' && json !== null && 'error' in json;
  if (!views && !isError) return;
  const chosen = isError ? [errorView] : typeof views === 'function' ? await views() : (views ?? []);
  const wrong = chosen.map((view) => misfitsOf(view, json));
  if (wrong.some((found) => found.length === 0)) {
    if (isError && name !== undefined) await holdAgainstErrors(name, errorView.parse(json).error.code);
    return;
  }
  throw new Error(`aio-dca ${args.join(' ')} --json is not as its view:\n${wrong.flat().join('\n')}`);
}

/** Undefined for none, or a part of one. */
function documentOf(stdout: string): unknown {
  try {
    return JSON.parse(stdout);
  } catch {
    return undefined;
  }
}

/**
 * What does not fit, with where: a value of another type, or a key that the view does not have. In JSON, what is a
 * bigint there is an integer, and an operation is a command.
 */
function misfitsOf(view: z.ZodType, json: unknown): string[] {
  return [...wrongValues(view, json), ...unknownKeys(view, json, '')];
}

function wrongValues(view: z.ZodType, json: unknown): string[] {
  return (view.safeParse(json).error?.issues ?? [])
    .filter((issue) => !isJsonForm(issue, json))
    .map(({ path, message }) => `${path.join('.')}: ${message}`);
}

type Issue = z.core.$ZodIssue;

function isJsonForm(issue: Issue, json: unknown): boolean {
  const value = at(json, issue.path);
  if (issue.code === 'invalid_union')
    return issue.errors.some((option) => option.every((inner) => isJsonForm(inner, value)));
  if (issue.code !== 'invalid_type') return false;
  return issue.expected === 'bigint' ? Number.isInteger(value) : issue.expected === 'object' && isCall(value);
}

function isCall(value: unknown): boolean {
  return typeof value === 'string' && value.startsWith('aio-dca ');
}

function at(json: unknown, path: PropertyKey[]): unknown {
  return path.reduce<unknown>((part, name) => (part as Record<PropertyKey, unknown>)[name], json);
}

/** Keys that no form of the view has. */
function unknownKeys(view: unknown, json: unknown, where: string): string[] {
  if (view instanceof z.ZodOptional || view instanceof z.ZodNullable || view instanceof z.ZodDefault)
    return unknownKeys(view.unwrap(), json, where);
  if (view instanceof z.ZodUnion) {
    const found = view.options.map((option) =>
      (option as z.ZodType).safeParse(json).error?.issues.every((issue) => isJsonForm(issue, json)) === false
        ? null
        : unknownKeys(option, json, where),
    );
    const fitting = found.filter((keys) => keys !== null);
    return fitting.some((keys) => keys.length === 0) ? [] : (fitting[0] ?? []);
  }
  if (view instanceof z.ZodArray && Array.isArray(json))
    return json.flatMap((one, index) => unknownKeys(view.element, one, `${where}${index}.`));
  if (view instanceof z.ZodObject && typeof json === 'object' && json !== null) {
    const shape: Record<string, unknown> = view.shape;
    return Object.entries(json).flatMap(([key, value]) =>
      key in shape ? unknownKeys(shape[key], value, `${where}${key}.`) : [`${where}${key}: unknown key`],
    );
  }
  if (view instanceof z.ZodRecord && typeof json === 'object' && json !== null)
    return Object.entries(json).flatMap(([key, value]) =>
      unknownKeys(view.valueType, value, `${where}${key}.`),
    );
  return [];
}
