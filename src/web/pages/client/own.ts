import type { WebContext } from '../../request/site-context.ts';
import type { Speech } from '../../request/speech.ts';
import { speechOf, textsIn } from '../../request/speech.ts';
import { type ClientTexts, clientEn } from '../../text/en/client.ts';
import { clientEs } from '../../text/es/client.ts';

/* What the pages of the client site begin with. */

export interface OwnSpeech extends Speech {
  /** The texts of the client site. */
  x: ClientTexts;
  /** The client of the session: no page of this site asks for anybody else. */
  name: string;
}

export function ownSpeech(context: WebContext): OwnSpeech {
  const speech = speechOf(context);
  const { principal } = context.get('visitor');
  if (principal.kind !== 'client') throw new Error('a page of the client site without a client');
  return { ...speech, x: textsIn(speech, { en: clientEn, es: clientEs }), name: principal.client };
}
