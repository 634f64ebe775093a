import { hashOf, newCode, newSecret } from '../access/access-secrets.ts';
import type { Config } from '../config/config.ts';
import { BridgeError } from '../errors.ts';
import { makeInvitation } from '../ledger/invitations/invitations.ts';
import { type Act, record } from '../ledger/log/log.ts';
import { holderSubject, type SessionHolder } from '../ledger/sessions/sessions.ts';
import type { Trx } from '../ledger/store/open.ts';
import type { InvitationView } from '../views/people.ts';

/* A one-time link to one of the sites. */

/** The path of the page that spends links, on both sites. */
const WELCOME = '/welcome';

/** Throws `web/no-site` if the configuration does not have the site. */
export function siteUrl({ web }: Pick<Config, 'web'>, site: 'client' | 'admin'): string {
  const url = web[site]?.publicUrl;
  if (url !== undefined) return url;
  throw new BridgeError(
    'web/no-site',
    `The configuration has no [web.${site}], so a link would lead nowhere.`,
    'config.example.toml shows the table.',
  );
}

/** Makes a link for somebody, in place of an earlier one, and records it; the answer alone has its secret. */
export async function invite(
  trx: Trx,
  act: Act,
  holder: SessionHolder,
  config: Pick<Config, 'web'>,
): Promise<InvitationView> {
  const url = siteUrl(config, holder.kind === 'client' ? 'client' : 'admin');
  const secret = newSecret();
  const code = newCode();
  const hashes = { secretHash: hashOf(secret), codeHash: hashOf(code) };
  const expiresAt = await makeInvitation(trx, act.at, holder, hashes);
  await record(trx, act, {
    ...{ action: `${holder.kind} invite`, subject: holderSubject(holder) },
    after: { expires_at: expiresAt },
  });
  // Behind the #, because browsers send that part to no server, and no proxy or preview of a messenger sees it.
  const link = `${url}${WELCOME}#${secret.reveal()}`;
  return { name: holder.name, link, code: code.reveal(), expires_at: expiresAt };
}
