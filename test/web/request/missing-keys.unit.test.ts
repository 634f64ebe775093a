import { expect, test } from 'vitest';
import { loadConfig } from '../../../src/config/load.ts';
import { missingKeys } from '../../../src/web/request/missing-keys.ts';

test('what is missing has a sentence, and what is there has none', () => {
  const file = 'config.example.toml';
  const { sourceWallet, lamassu } = missingKeys(loadConfig(file, {}));
  expect(sourceWallet).toMatch(
    /^lnbits\.source_wallet_key_file: cannot read .*source\.adminkey \(ENOENT\)\.$/,
  );
  expect(lamassu).toMatch(/^lamassu\.ssh\.private_key_file: cannot read /);
  const { lnbits, lamassu: source } = loadConfig(file, {});
  const whole = {
    lnbits: { ...base(lnbits), sourceWalletKey: undefined as never },
    lamassu: { ...base(source), ssh: undefined, password: undefined },
  };
  expect(missingKeys(whole)).toEqual({ sourceWallet: null, lamassu: null });
});

/** The settings without their getters, which would throw. */
function base<T extends object>(settings: T): T {
  const values = Object.entries(Object.getOwnPropertyDescriptors(settings)).filter(([, { get }]) => !get);
  return Object.fromEntries(values.map(([name, { value }]) => [name, value])) as T;
}
