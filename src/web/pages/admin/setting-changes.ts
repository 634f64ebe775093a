import { html } from 'hono/html';
import type { Speech } from '../../request/speech.ts';
import type { Typed } from '../../view/forms.ts';
import type { PageHtml } from '../../view/html.ts';
import { htmlTable } from '../../view/lists.ts';

/* Forms of settings send along what each was, so only what was typed otherwise is changed. */

const WAS = 'was_';

export interface ChangedSetting {
  name: string;
  before: string;
  after: string;
}

/** The values of a form, to be sent along with it. */
export function asTheyWere(values: Readonly<Record<string, string>>): Typed {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [`${WAS}${name}`, value]));
}

/** What was typed otherwise than it was. */
export function changedSettings(words: Typed): ChangedSetting[] {
  return Object.entries(words).flatMap(([key, before]) => {
    if (!key.startsWith(WAS)) return [];
    const name = key.slice(WAS.length);
    const { [name]: typed = before } = words;
    const after = typed.trim();
    return after === before ? [] : [{ name, before, after }];
  });
}

export interface ChangeHeads {
  caption: string;
  setting: string;
  from: string;
  to: string;
}

/** Before and after, side by side. */
export function changesTable(
  speech: Speech,
  changed: readonly ChangedSetting[],
  heads: ChangeHeads,
  { label, value }: { label: (name: string) => string; value: (one: ChangedSetting, text: string) => string },
): PageHtml {
  return htmlTable(
    speech,
    [
      { head: heads.setting, isHead: true, cell: ({ name }) => label(name) },
      { head: heads.from, cell: (one) => value(one, one.before) },
      { head: heads.to, cell: (one) => html`<strong>${value(one, one.after)}</strong>` },
    ],
    changed,
    { caption: heads.caption },
  );
}
