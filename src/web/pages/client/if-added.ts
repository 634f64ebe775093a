import { html } from 'hono/html';
import { BridgeError } from '../../../errors.ts';
import { showClient } from '../../../operations/clients.ts';
import { replayClient } from '../../../operations/replays.ts';
import type { ReplayView } from '../../../views/replays.ts';
import { problemOf } from '../../request/problem.ts';
import { performFor } from '../../request/visitor.ts';
import { notice } from '../../view/components.ts';
import { amountText, getForm } from '../../view/forms.ts';
import { layout } from '../../view/layout.ts';
import type { PageRoute } from '../page-route.ts';
import { ownSpeech } from './own.ts';

/** What more cash would have bought: of the past, and never a forecast. */
export const ifAddedPage: PageRoute = {
  method: 'GET',
  path: '/if-added',
  show: async (context) => {
    const speech = ownSpeech(context);
    const { x, f, name } = speech;
    const words = context.req.query();
    const client = await performFor(context, showClient, { name });
    const currencies = client.balances.map(({ currency }) => currency);
    const currency = currencies.find((one) => one === words.currency) ?? currencies[0];
    let error: BridgeError | undefined;
    let replay: ReplayView | undefined;
    if (words.added && currency !== undefined) {
      try {
        replay = await performFor(context, replayClient, {
          name,
          added: `${amountText(words.added)} ${currency}`,
        });
      } catch (thrown) {
        if (!(thrown instanceof BridgeError) || thrown.field !== 'added') throw thrown;
        error = thrown;
        context.status(problemOf(error, () => undefined).status);
      }
    }
    const said =
      replay &&
      (replay.compared && replay.added.net_sats > 0n
        ? x.ifAdded.would(f.money(replay.added.fiat, replay.currency), f.sats(replay.added.net_sats))
        : x.ifAdded.wouldNothing);
    const fields = [
      {
        name: 'added',
        label: x.ifAdded.amount,
        kind: 'amount' as const,
        ...(currencies.length === 1 && currency !== undefined && { unit: currency }),
      },
      ...(currencies.length > 1
        ? [
            {
              name: 'currency',
              label: '',
              kind: 'select' as const,
              choices: currencies.map((one) => ({ value: one, text: one })),
            },
          ]
        : []),
    ];
    return layout(context, {
      ...{ title: x.ifAdded.title, here: 'home' },
      main: html`<p class="lead">${x.ifAdded.lead}</p>
${currency === undefined ? notice(x.home.noCash) : getForm(speech, { action: '/if-added', fields, words, error, submit: x.ifAdded.show })}
${said === undefined ? '' : notice(html`<p><strong>${said}</strong></p><p>${x.ifAdded.note}</p>`, 'good', 'status')}`,
    });
  },
};
