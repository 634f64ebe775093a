import { z } from 'zod';
import type { Config } from '../config/load.ts';
import { type Check, fail, ok } from '../doctor/check.ts';
import { doctorView, viewOfCheck, viewOfChecks } from '../views/doctor.ts';
import { operation } from './operation.ts';

/**
 * Looks at everything that a run needs, step by step, and keeps in the ledger which machines Lamassu knows. What is wrong
 * is part of the answer, the configuration too; `onCheck` of the session is told of each check as it ends.
 */
export const examine = operation({
  name: 'doctor',
  needs: 'none',
  may: [],
  input: z.object({}),
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
    // Loaded here: what is wrong with the configuration is told without it.
    const { examine: examination } = await import('../doctor/examine.ts');
    for await (const check of examination(config, env, who, clock)) add(check);
    return viewOfChecks(checks);
  },
});
