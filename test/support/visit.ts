import { expect } from 'vitest';
import type { Answer, TestSite } from './site.ts';

/* Pages of a site, as a browser without scripts has them. */

export interface Visit extends Answer {
  /** The figures of the page as programs read them, in order: `135000`, `3000.00 GTQ`. */
  figures: string[];
  /** Where it leads to after a change. */
  location: string;
}

export interface Browser {
  get(path: string): Promise<Visit>;
  /** Sends a form, with what it has hidden. */
  send(path: string, typed?: Record<string, string>): Promise<Visit>;
  /** Sends the form of a page as it stands, with what is typed into it and the button that is pressed. */
  press(page: Visit, path: string, typed?: Record<string, string>): Promise<Visit>;
}

export function browser(site: TestSite, session: string, language: 'en' | 'es' = 'en'): Browser {
  const headers = { accept: 'text/html', 'accept-language': language };
  const form = { ...headers, 'content-type': 'application/x-www-form-urlencoded' };
  const send = async (path: string, typed: Record<string, string> = {}) =>
    visitOf(
      await site.ask(path, {
        ...{ method: 'POST', session, headers: form },
        body: new URLSearchParams(typed).toString(),
      }),
    );
  return {
    get: async (path) => visitOf(await site.ask(path, { session, headers })),
    send,
    press: (page, path, typed) => send(path, { ...hiddenOf(page), ...typed }),
  };
}

function visitOf(answer: Answer): Visit {
  const { text, status, headers } = answer;
  if (status === 200) {
    expect(text).not.toMatch(/undefined|\[object|NaN|>null</);
    expect(text.match(/<h1>/g)).toHaveLength(1);
  }
  return {
    ...answer,
    figures: [...text.matchAll(/<data class="num" value="([^"]*)"/g)].map(([, value = '']) => value),
    location: headers.get('location') ?? '',
  };
}

/** What the last form of a page sends along unseen. */
function hiddenOf({ text }: Visit): Record<string, string> {
  const [last = ''] = text.split('<form method="post"').reverse();
  const inputs = [...text.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g)];
  return Object.fromEntries(
    inputs
      .filter(([whole]) => last.includes(whole) || text.includes(whole))
      .filter(([, name]) => name !== 'next')
      .map(([, name = '', value = '']) => [name, plain(value)]),
  );
}

/** Text out of HTML. */
export function plain(escaped: string): string {
  return escaped
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&');
}
