import * as z from 'zod';
import { configOrigins } from '../config/origins.ts';
import { configView, viewOfConfig } from '../views/config.ts';
import { operation } from './operation.ts';

/** What is in force, and where each value comes from; also of a configuration with mistakes. Opens no ledger. */
export const showConfig = operation({
  name: 'config',
  needs: 'none',
  may: [],
  errors: [],
  /** The file that was named, if one was. */
  input: z.strictObject({ config: z.string().optional() }),
  view: configView,
  run: async ({ env }, { config }) => viewOfConfig(configOrigins(config, env)),
});
