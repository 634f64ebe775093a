import { z } from 'zod';
import { roleSql } from '../lamassu/role-sql.ts';
import { roleSqlView } from '../views/role-sql.ts';
import { operation } from './operation.ts';

/** The SQL of the role that reads Lamassu. Needs no configuration where both names are given. */
export const makeRoleSql = operation({
  name: 'role_sql',
  needs: 'none',
  may: [],
  errors: [],
  /** By default those of the configuration. */
  input: z.object({ user: z.string().optional(), database: z.string().optional() }),
  view: roleSqlView,
  run: async ({ config }, given) => {
    const user = given.user ?? (await config()).lamassu.user;
    const database = given.database ?? (await config()).lamassu.database;
    return { sql: roleSql({ user, database }) };
  },
});
