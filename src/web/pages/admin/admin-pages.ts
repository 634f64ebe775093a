import type { PageRoute } from '../page-route.ts';
import { preferencesForm } from '../preferences.ts';
import { provePage, signInPage } from '../sign-in.ts';
import { welcomePage } from '../welcome.ts';
import { bookPages } from './books.ts';
import { cashOutPage } from './cash-out.ts';
import { cashOutsPage } from './cash-outs.ts';
import { clientCashPage, clientPage, clientPurchasesPage } from './client.ts';
import { clientAccessPages } from './client-access.ts';
import { clientForms } from './client-forms.ts';
import { clientsPage } from './clients.ts';
import { commissionPages } from './commission.ts';
import { countSheet } from './count-sheet.ts';
import { fundingForms } from './funding-forms.ts';
import { fundingPage, fundingsPage } from './fundings.ts';
import { clientLogPage, logPage } from './log.ts';
import { machineForms } from './machine-forms.ts';
import { machinePage, machinesPage } from './machines.ts';
import { monthPage } from './month-closing.ts';
import { overviewPage } from './overview.ts';
import { reportsPage, statementFile } from './reports.ts';
import { stopPages } from './stop.ts';

/** The pages of the admin site: a page is one file here, and one line of this list. */
export const adminPages: readonly PageRoute[] = [
  welcomePage,
  signInPage,
  provePage,
  preferencesForm,
  overviewPage,
  ...stopPages,
  cashOutsPage,
  cashOutPage,
  clientsPage,
  ...clientForms,
  clientPage,
  clientCashPage,
  clientPurchasesPage,
  clientLogPage,
  ...clientAccessPages,
  fundingsPage,
  machinesPage,
  ...machineForms,
  machinePage,
  countSheet,
  ...commissionPages,
  reportsPage,
  monthPage,
  statementFile,
  ...bookPages,
  logPage,
  ...fundingForms,
  fundingPage,
];
