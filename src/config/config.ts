import type { Currencies } from '../dca/currency.ts';
import type { Tls } from '../lib/tls.ts';
import type { Instant } from '../time.ts';
import type { Amount } from '../typed/numbers.ts';
import type { ConfigFile } from './file-schema.ts';
import type { Secret } from './secret.ts';
import type { WebConfig } from './web.ts';

/**
 * The validated config.toml. Each `Secret` is read at its first use, so `verify` works for a user who may not read the
 * SSH key. The getter throws BridgeError `config/secret` if the secret is missing or unreadable. Paths are absolute;
 * durations are milliseconds.
 */
export interface Config {
  /** The path of config.toml. */
  file: string;
  timezone: string;
  lamassu: {
    name: string;
    host: string;
    port: number;
    database: string;
    user: string;
    readonly password: Secret | undefined;
    tls: Tls;
    /** PEM text. */
    ca: string | undefined;
    startAt: Instant;
    overlapMs: number;
    ssh:
      | {
          host: string;
          port: number;
          user: string;
          readonly privateKey: Secret;
          readonly passphrase: Secret | undefined;
          hostKeys: string[];
        }
      | undefined;
  };
  ledger: {
    /** `sqlite:` and an absolute path, or `postgresql://…` without a password. */
    url: string;
    readonly password: Secret | undefined;
    /** Undefined: the default depends on the host. */
    tls: Tls | undefined;
    /** PEM text. */
    ca: string | undefined;
  };
  lnbits: {
    /** Without a slash at the end. */
    url: string;
    /** PEM text of the authority to trust instead of those that Node trusts. */
    ca: string | undefined;
    readonly sourceWalletKey: Secret;
    creditSource: boolean;
    superuser: string | undefined;
    readonly superuserPassword: Secret | undefined;
  };
  commission: ConfigFile['commission'];
  /** Further currencies with their digits. Those that the ledger has recorded go first. */
  currencies: Currencies;
  payouts: {
    batch: 'poll' | 'cash-out';
    minimumSats: bigint;
    maximumSats: bigint;
    quietMs: number;
    dailyCeilingSats: bigint | undefined;
  };
  allocation: ConfigFile['allocation'];
  /** `HH:MM`, in `timezone`. */
  fixed: { times: string[] };
  review: { cashOutAbove: Amount[] };
  attention: { staleAfterMs: number; payoutAfterMs: number };
  schedule: { poll: string };
  log: ConfigFile['log'];
  metrics: { listen: string | undefined };
  web: WebConfig;
  /** The files that hold secrets, perhaps config.toml itself; `doctor` checks their modes. */
  secretFiles: string[];
}
