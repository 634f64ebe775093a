import { html } from 'hono/html';
import { pausePayouts, resumePayouts } from '../../../operations/payouts.ts';
import type { Speech } from '../../request/speech.ts';
import type { Field } from '../../view/forms.ts';
import { changeForm } from '../change-pages.ts';

/* The brake: one tap and a reason, never a proof of who it is. Resuming needs that. */

const reason = ({ t }: Speech): Field => ({
  ...{ name: 'reason', label: t.form.reason, help: t.form.reasonHelp },
});

export const stopPages = [
  ...changeForm({
    path: '/stop',
    operation: pausePayouts,
    form: (_context, speech) => ({
      title: speech.t.stop.title,
      lead: html`<p class="lead">${speech.t.stop.lead}</p>`,
      fields: [reason(speech)],
      ...{ submit: speech.t.stop.button, danger: true },
    }),
    input: () => ({}),
    done: (view) => ((view as { changed: boolean }).changed ? '/?done=stopped' : '/?done=already'),
  }),
  ...changeForm({
    path: '/resume',
    operation: resumePayouts,
    form: (_context, speech) => ({
      title: speech.t.stop.resumeTitle,
      lead: html`<p class="lead">${speech.t.stop.resumeLead}</p>`,
      fields: [{ ...reason(speech), optional: true }],
      submit: speech.t.stop.resume,
    }),
    input: () => ({}),
    done: () => '/?done=resumed',
  }),
];
