import { readLedgerUrl } from '../config/ledger-url.ts';
import { parseToml, settingsIn } from '../config/load.ts';
import { BridgeError, invalid } from '../errors.ts';

/**
 * Throws `usage/invalid`, which names the settings, if no command could read this text of a configuration at `file`, or
 * if the password of the ledger, at `ledgerUrl`, would stand in it.
 * The environment does not count: the services have another one.
 */
export function refuseUnusable(file: string, text: string, ledgerUrl: string): void {
  const place = readLedgerUrl(ledgerUrl);
  if (typeof place === 'object' && 'password' in place && place.password !== undefined)
    throw invalid('settings.ledger.url', 'a password does not belong in it', 'Give it as the password.');
  try {
    settingsIn(parseToml(text, file), { file, text: '', env: {} });
  } catch (error) {
    if (!(error instanceof BridgeError) || error.code !== 'config/invalid') throw error;
    throw new BridgeError('usage/invalid', error.text, 'Nothing was written.', { cause: error });
  }
}
