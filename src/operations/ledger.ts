import { dirname, resolve } from 'node:path';
import * as z from 'zod';
import { readCa } from '../config/ca.ts';
import type { Config } from '../config/config.ts';
import { readLedgerUrl } from '../config/ledger-url.ts';
import { loadConfig } from '../config/load.ts';
import { keyInput, secretInput } from '../config/secret-input.ts';
import { invalid } from '../errors.ts';
import { rebindSource } from '../ledger/cash-outs/watermark.ts';
import { copyLedger, type LedgerPlace } from '../ledger/copies/copy.ts';
import type { Who } from '../ledger/log/log.ts';
import { field, message } from '../lib/message.ts';
import {
  comparedSourceView,
  copiedLedgerView,
  copyPlanView,
  recoveryView,
  viewOfCompared,
  viewOfCopied,
  viewOfRecovery,
} from '../views/ledger.ts';
import { compareSource } from './compare-source.ts';
import { LEASE, LEDGER, RECOVERY, SOURCE_ERRORS } from './errors.ts';
import { assertUnchanged, digestOf, operation, withReason } from './operation.ts';
import { recover } from './recover.ts';

/* Moves the ledger, completes a restored backup, and follows a Lamassu that was moved. */

/** The digest of the preview. */
const seen = { digest: z.string().optional() };

const place = z.strictObject({
  /** `sqlite:PATH`, relative to config.toml, or `postgresql://user@host/database`, without a ledger yet. */
  to: z.string(),
  to_password: secretInput.optional(),
});

export const previewCopy = operation({
  name: 'ledger.preview_copy',
  needs: 'config',
  may: [],
  errors: [],
  input: place,
  view: copyPlanView,
  run: async ({ config }, given) => {
    const plan = { from: config.ledger.url, to: placeOf(given, config).url };
    return { ...plan, digest: digestOf(plan) };
  },
});

/** Errors: those of `copyLedger`, and `usage/invalid` if `to` is no place of a ledger. */
export const copy = operation({
  name: 'ledger.copy',
  needs: 'config',
  may: [],
  errors: [...LEDGER, ...LEASE, 'ledger/copy-differs', 'usage/changed'],
  input: place.extend(seen),
  view: copiedLedgerView,
  run: async ({ config, who }, given) => {
    const to = placeOf(given, config);
    assertUnchanged({ from: config.ledger.url, to: to.url }, given.digest);
    return viewOfCopied(await copyLedger(config.ledger, to, who), to);
  },
});

/** The place that `to` names. A relative path is relative to config.toml. */
function placeOf(
  { to, to_password: password }: z.output<typeof place>,
  { file }: Pick<Config, 'file'>,
): LedgerPlace {
  const folder = dirname(file);
  const read = readLedgerUrl(to);
  if (read === undefined || typeof read === 'string') {
    throw invalid(
      'to',
      read ?? `${JSON.stringify(to)} is not the place of a ledger`,
      'Write sqlite:PATH or postgresql://user@host/database, with ?sslmode=verify-full&sslrootcert=FILE for a certificate of your own.',
    );
  }
  if ('sqlite' in read) {
    if (password !== undefined)
      throw invalid('to_password', 'a SQLite file has no password', 'Leave it out.');
    return { url: `sqlite:${resolve(folder, read.sqlite)}` };
  }
  if (read.password !== undefined) {
    throw invalid(
      'to',
      'other users can see a password in the URL',
      message`Give it separately: ${field('to_password')}.`,
    );
  }
  const ca = read.caFile === undefined ? undefined : readCa(field('to'), resolve(folder, read.caFile));
  const tls = read.tls ?? (ca === undefined ? undefined : 'verify-full');
  return { url: read.postgresql, password, tls, ca };
}

/** Which ledger and which Lamassu a configuration is of. */
type Installed = Pick<Config, 'file' | 'ledger' | 'lamassu'>;

const recovery = z.strictObject({
  /** Admin keys of wallets that paid before the present source wallet. */
  former_wallet_key: z.array(keyInput).default([]),
  /**
   * The operator declares that a former source wallet is gone and paid nothing unknown to this ledger; needs a reason.
   */
  without_former_wallet: z.boolean().default(false),
  /** Paths of the configurations of the other Lamassu servers of this ledger. */
  other_config: z.array(z.string()).default([]),
  /** Also books what does not fit, held for the operator to decide; needs a reason. */
  hold: z.boolean().default(false),
});

export const previewRecovery = operation({
  name: 'ledger.preview_recover',
  needs: 'config',
  may: [],
  errors: RECOVERY,
  input: recovery,
  view: recoveryView,
  run: async ({ config, who, withLedger, env }, given) => {
    const asked = recoveryOf(given, config, who, env);
    return withLedger('read', async (ledger) =>
      viewOfRecovery(await recover({ ledger, config, who, ...asked }, true), true),
    );
  },
});

/** Takes the lease itself, because the outcome of its run depends on the result. */
export const recoverLedger = operation({
  name: 'ledger.recover',
  needs: 'config',
  may: [],
  errors: [...RECOVERY, ...LEASE],
  input: recovery,
  view: recoveryView,
  run: async ({ config, who, withLedger, env }, given) => {
    const asked = recoveryOf(given, config, who, env);
    return withLedger('write', async (ledger) =>
      viewOfRecovery(await recover({ ledger, config, who, ...asked }, false), false),
    );
  },
});

/**
 * Throws `usage/invalid` for a reason that nothing in the input needs, and for configurations that do not go together.
 */
function recoveryOf(
  given: z.output<typeof recovery>,
  config: Installed,
  { reason }: Who,
  env: NodeJS.ProcessEnv,
) {
  const otherConfigs = given.other_config.map((file) => loadConfig(file, env));
  const named = given.without_former_wallet ? 'without_former_wallet' : given.hold ? 'hold' : null;
  if (named !== null && reason === undefined)
    throw invalid(named, 'the log needs to know why', message`Give the reason with ${field('reason')}.`);
  if (named === null && reason !== undefined) {
    throw invalid(
      'reason',
      message`use it only with ${field('hold')} or ${field('without_former_wallet')}`,
      'Leave it out, or add one of them.',
    );
  }
  assertTogether(config, otherConfigs);
  return {
    otherConfigs,
    formerKeys: given.former_wallet_key,
    hold: given.hold,
    withoutFormer: given.without_former_wallet,
  };
}

/** Checks that each configuration is of another Lamassu server, and all are of the same ledger. */
function assertTogether(config: Installed, others: Installed[]): void {
  const names = [config.lamassu.name];
  for (const { file, ledger, lamassu } of others) {
    if (ledger.url !== config.ledger.url) {
      throw invalid(
        'other_config',
        `${file} names another ledger than ${config.file}`,
        'Name the configurations that share this ledger.',
      );
    }
    if (names.includes(lamassu.name)) {
      throw invalid(
        'other_config',
        `${file} is another configuration of Lamassu "${lamassu.name}"`,
        'Name each Lamassu server of this ledger once.',
      );
    }
    names.push(lamassu.name);
  }
}

/** The PostgreSQL system identifier of Lamassu's database, as the refusal of a run shows it. */
const identity = z.strictObject({ accept: z.string().trim() });

export const previewSource = operation({
  name: 'ledger.preview_source',
  needs: 'read',
  may: [],
  errors: SOURCE_ERRORS,
  reasoned: 'when-applied',
  input: identity,
  view: comparedSourceView,
  run: async ({ ledger, config }, { accept }) => {
    const compared = await compareSource(config, ledger, accept);
    return { ...viewOfCompared(compared, { dry_run: true, accepted: false }), digest: digestOf(compared) };
  },
});

/** Errors: those of `compareSource` and of `rebindSource`. */
export const acceptSource = operation({
  name: 'ledger.source',
  needs: 'write',
  may: [],
  errors: [...SOURCE_ERRORS, 'usage/changed'],
  reasoned: true,
  input: identity.extend(seen),
  view: comparedSourceView,
  run: async ({ clock, ledger, config, who, write }, { accept, digest }) => {
    const act = withReason(who);
    const compared = await compareSource(config, ledger, accept);
    assertUnchanged(compared, digest);
    return write(async (trx) => {
      const accepted = compared.was !== compared.is;
      if (accepted) await rebindSource(trx, { ...act, at: clock.now() }, compared);
      return viewOfCompared(compared, { dry_run: false, accepted });
    });
  },
});
