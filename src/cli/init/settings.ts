import type { z } from 'zod';
import type { createInstallation } from '../../operations/init.ts';

/** Everything that config.toml and the files beside it will hold. */
export type Settings = z.output<typeof createInstallation.input>['settings'];
export type SshSettings = NonNullable<Settings['ssh']>;
export type SshKey = SshSettings['key'];
export type LedgerSettings = Settings['ledger'];
