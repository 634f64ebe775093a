import { html } from 'hono/html';
import { type Speech, textsIn } from '../../request/speech.ts';
import { clientsEn } from '../../text/en/admin-clients.ts';
import { clientsEs } from '../../text/es/admin-clients.ts';
import { copyable, tabs } from '../../view/components.ts';
import type { PageHtml } from '../../view/html.ts';
import { pathTo } from '../../view/links.ts';

export const clientTexts = { en: clientsEn, es: clientsEs };

export type ClientTab = 'summary' | 'cash' | 'purchases' | 'settings' | 'access' | 'log';

/** The parts of a client; `can`: those that whoever asks gets. */
export function clientTabs(
  speech: Speech,
  name: string,
  here: ClientTab,
  can: readonly ClientTab[],
): PageHtml {
  const texts = textsIn(speech, clientTexts).tabs;
  const path = pathTo.client(name);
  return tabs(
    texts.label,
    can.map((tab) => ({
      ...{ href: tab === 'summary' ? path : `${path}/${tab}`, text: texts[tab], isHere: tab === here },
    })),
  );
}

/** As many characters of a wallet's id as those see who do not decide about wallets. */
const WALLET_SHOWN = 8;

/** A wallet by its id: whole and to be copied for those who decide about wallets. */
export function shownWallet(speech: Speech, id: string, isWhole: boolean): PageHtml {
  return isWhole ? copyable(speech, id) : html`<code>${id.slice(0, WALLET_SHOWN)}…</code>`;
}
