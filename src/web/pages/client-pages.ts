import { homePage } from './home.ts';
import type { PageRoute } from './page-route.ts';
import { signInPage } from './sign-in.ts';
import { welcomePage } from './welcome.ts';

/** The pages of the client site: a page is one file here or in a folder of the site, and one line of this list. */
export const clientPages: readonly PageRoute[] = [welcomePage, signInPage, homePage];
