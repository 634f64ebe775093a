import { resolve } from 'node:path';
import { readCa } from '../../config/ca.ts';
import { Secret } from '../../config/secret.ts';
import { checkLnbits, checkSourceWallet, checkSuperuser } from '../../operations/init-checks.ts';
import { checked, checkedKey, mayGoInClear, shape } from './checks.ts';
import { flagOf, type Interview, wrongAnswer } from './interview.ts';
import { secretAnswer } from './secret-file.ts';
import type { InstallationSettings } from './settings.ts';

/** LNbits' address, the key of the source wallet, and the superuser if it credits that wallet. */
export async function askLnbits(interview: Interview): Promise<InstallationSettings['lnbits']> {
  const { options } = interview;
  const caFile = options.lnbitsCaFile === undefined ? undefined : resolve(options.lnbitsCaFile);
  const ca = caFile === undefined ? undefined : readCa(flagOf('lnbitsCaFile'), caFile);
  const place = await interview.ask({
    key: 'lnbitsUrl',
    message: 'The address of LNbits',
    initial: interview.terminal ? 'https://' : '',
    read: async (text) => {
      const url = checked(shape.lnbits.shape.url, withScheme(text), 'lnbitsUrl');
      if (caFile !== undefined && url.startsWith('http:')) {
        throw wrongAnswer(
          'lnbitsUrl',
          `${flagOf('lnbitsCaFile')} has no effect with http://…`,
          'Use https://, or leave that option out.',
        );
      }
      const insecure_http = await mayGoInClear(url, interview);
      const found = await interview.test(checkLnbits, { url, ca });
      if (found) interview.note(`That is LNbits ${found.version}.`);
      return { url, ca_file: caFile, ca, insecure_http };
    },
  });
  const key = await secretAnswer(interview, {
    key: 'sourceWalletKeyFile',
    message: 'The admin key of the source wallet, which pays',
    file: 'source.adminkey',
    read: async (text) => {
      const key = new Secret(checkedKey(text, 'sourceWalletKeyFile'));
      const wallet = await interview.test(checkSourceWallet, { url: place.url, ca: place.ca, key });
      if (wallet) interview.note(`It is the admin key of "${wallet.name}".`);
      return key;
    },
  });
  return { ...place, key, superuser: await askSuperuser(interview, place) };
}

async function askSuperuser(
  interview: Interview,
  { url, ca }: { url: string; ca?: string | undefined },
): Promise<InstallationSettings['lnbits']['superuser']> {
  const { options } = interview;
  const crediting =
    options.creditSource ??
    (options.superuser !== undefined ||
      (interview.terminal &&
        (await interview.choose('Who fills the source wallet?', [
          { value: 'operator', label: 'I do' },
          {
            value: 'superuser',
            label: 'LNbits’ superuser (only if the ATM’s node is LNbits’ own)',
          },
        ])) === 'superuser'));
  if (!crediting) return undefined;
  const name = await interview.ask({
    key: 'superuser',
    message: 'The user name of LNbits’ superuser',
    read: (text) => checked(shape.lnbits.shape.superuser.unwrap(), text, 'superuser'),
  });
  return secretAnswer(interview, {
    key: 'superuserPasswordFile',
    message: 'The superuser’s password',
    file: 'superuser.password',
    read: async (text) => {
      if (text === '')
        throw wrongAnswer('superuserPasswordFile', 'it is empty', 'The superuser has a password.');
      const superuser = { name, password: new Secret(text) };
      await interview.test(checkSuperuser, { url, ca, superuser });
      return superuser;
    },
  });
}

/** An address as people type it: `https://` may be missing, or stand there twice where it was proposed. */
function withScheme(text: string): string {
  const [, address = ''] = /^(?:https?:\/\/(?=[a-z]+:\/\/))?(.*)$/i.exec(text) ?? [];
  return address === '' || address.includes('://') ? address : `https://${address}`;
}
