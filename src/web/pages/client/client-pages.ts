import type { PageRoute } from '../page-route.ts';
import { preferencesForm } from '../preferences.ts';
import { signInPage } from '../sign-in.ts';
import { welcomePage } from '../welcome.ts';
import { cashPage, lumpPage } from './cash.ts';
import { homePage } from './home.ts';
import { ifAddedPage } from './if-added.ts';
import { purchaseProofPage, purchasesPage } from './purchases.ts';
import { settingsPages } from './settings.ts';
import { statementPages } from './statements.ts';
import { welcomeInPage } from './welcome-in.ts';

/** The pages of the client site: a page is one file here, and one line of this list. */
export const clientPages: readonly PageRoute[] = [
  welcomePage,
  welcomeInPage,
  signInPage,
  preferencesForm,
  homePage,
  purchasesPage,
  purchaseProofPage,
  cashPage,
  lumpPage,
  ...settingsPages,
  ...statementPages,
  ifAddedPage,
];
