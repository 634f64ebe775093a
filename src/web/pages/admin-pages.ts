import { homePage } from './home.ts';
import type { PageRoute } from './page-route.ts';
import { provePage, signInPage } from './sign-in.ts';
import { welcomePage } from './welcome.ts';

/** The pages of the admin site: a page is one file here or in a folder of the site, and one line of this list. */
export const adminPages: readonly PageRoute[] = [welcomePage, signInPage, provePage, homePage];
