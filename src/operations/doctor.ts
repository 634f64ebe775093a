import * as z from 'zod';
import type { Config } from '../config/config.ts';
import { type Check, fail, ok } from '../doctor/check.ts';
import { doctorView, viewOfCheck, viewOfChecks } from '../views/doctor.ts';
import { operation } from './operation.ts';

/**
 * Checks everything that a run needs, step by step, and records Lamassu's machines in the ledger. A failure, even of
 * the configuration, is part of the answer. `onCheck` of the session receives each check as it ends.
 */
export const examine = operation({
  name: 'doctor',
  needs: 'none',
  may: [],
  errors: [],
  input: z.strictObject({}),
  view: doctorView,
  run: async ({ config: read, clock, env, who, onCheck }) => {
    const checks: Check[] = [];
    const add = (check: Check) => {
      checks.push(check);
      onCheck?.(viewOfCheck(check));
    };
    let config: Config;
    try {
      config = await read();
    } catch (error) {
      add(fail('config', error));
      return viewOfChecks(checks);
    }
    add(ok('config', config.file));
    // Loaded here, because an error in the configuration does not need it.
    const { examine: examination } = await import('../doctor/examine.ts');
    for await (const check of examination(config, env, who, clock)) add(check);
    return viewOfChecks(checks);
  },
});
