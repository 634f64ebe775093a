import type * as z from 'zod';
import type { createInstallation } from '../../operations/init.ts';

/** Everything that config.toml and the files beside it will hold. */
export type InstallationSettings = z.output<typeof createInstallation.input>['settings'];
export type SshSettings = NonNullable<InstallationSettings['ssh']>;
export type InstallationSshKey = SshSettings['key'];
export type InstallationLedger = InstallationSettings['ledger'];
