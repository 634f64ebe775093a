import type { PageRoute } from '../page-route.ts';
import { preferencesForm } from '../preferences.ts';
import { signInPage } from '../sign-in.ts';
import { welcomePage } from '../welcome.ts';
import { homePage } from './home.ts';

/** The pages of the client site: a page is one file here, and one line of this list. */
export const clientPages: readonly PageRoute[] = [welcomePage, signInPage, preferencesForm, homePage];
