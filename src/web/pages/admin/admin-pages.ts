import type { PageRoute } from '../page-route.ts';
import { preferencesForm } from '../preferences.ts';
import { provePage, signInPage } from '../sign-in.ts';
import { welcomePage } from '../welcome.ts';
import { accountPages } from './account.ts';
import { bookPages } from './books.ts';
import { cashOutRoute } from './cash-out.ts';
import { cashOutListRoute } from './cash-outs.ts';
import { clientCashRoute, clientPurchasesRoute, clientRoute } from './client.ts';
import { clientAccessPages } from './client-access.ts';
import { clientForms } from './client-forms.ts';
import { clientListRoute } from './clients.ts';
import { clockPages } from './clocks.ts';
import { commissionPages } from './commission.ts';
import { countSheet } from './count-sheet.ts';
import { creditPages } from './credits.ts';
import { fundingForms } from './funding-forms.ts';
import { fundingListRoute, fundingRoute } from './fundings.ts';
import { clientLogRoute, logRoute } from './log.ts';
import { machineForms } from './machine-forms.ts';
import { machineListRoute, machineRoute } from './machines.ts';
import { monthRoute } from './month-closing.ts';
import { overviewPage } from './overview.ts';
import { payoutChanges } from './payout-changes.ts';
import { onePayoutPage, payoutsPage } from './payouts.ts';
import { peoplePages } from './people.ts';
import { reportsRoute, statementFile } from './reports.ts';
import { reviewPages } from './review.ts';
import { runPages } from './run.ts';
import { runsPage } from './runs.ts';
import { settlementPages } from './settlements.ts';
import { stopPages } from './stop.ts';
import { systemPages } from './system.ts';
import { tokenPages } from './tokens.ts';

/** The pages of the admin site: a page is one file here, and one line of this list. */
export const adminPages: readonly PageRoute[] = [
  welcomePage,
  signInPage,
  provePage,
  preferencesForm,
  overviewPage,
  ...stopPages,
  ...runPages,
  runsPage,
  ...settlementPages,
  ...reviewPages,
  payoutsPage,
  ...payoutChanges,
  onePayoutPage,
  ...creditPages,
  ...peoplePages,
  ...tokenPages,
  ...accountPages,
  cashOutListRoute,
  cashOutRoute,
  clientListRoute,
  ...clientForms,
  clientRoute,
  clientCashRoute,
  clientPurchasesRoute,
  clientLogRoute,
  ...clientAccessPages,
  fundingListRoute,
  machineListRoute,
  ...machineForms,
  machineRoute,
  countSheet,
  ...commissionPages,
  reportsRoute,
  monthRoute,
  statementFile,
  ...bookPages,
  ...systemPages,
  ...clockPages,
  logRoute,
  ...fundingForms,
  fundingRoute,
];
