import { speechOf } from '../../request/speech.ts';
import { layout } from '../../view/layout.ts';
import type { PageRoute } from '../page-route.ts';

export const homePage: PageRoute = {
  method: 'GET',
  path: '/',
  show: (context) => layout(context, { title: speechOf(context).t.nav.home, here: 'home', main: '' }),
};
