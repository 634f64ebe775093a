import { LANGUAGES } from '../format/formats.ts';
import { preferencesOf, setPreferences, THEMES } from '../request/speech.ts';
import { wordsOf } from './change-pages.ts';
import { type PageRoute, safePath } from './page-route.ts';

/** Keeps language, colours, and whether amounts are shown, and leads back to the page. */
export const preferencesForm: PageRoute = {
  method: 'POST',
  path: '/preferences',
  open: true,
  show: async (context) => {
    const words = await wordsOf(context);
    const before = preferencesOf(context);
    setPreferences(context, {
      language: LANGUAGES.find((one) => one === words.language) ?? before.language,
      theme: THEMES.find((one) => one === words.theme) ?? before.theme,
      hidden: 'hidden' in words ? words.hidden === 'yes' : before.hidden,
    });
    return context.redirect(safePath(words.next), 303);
  },
};
