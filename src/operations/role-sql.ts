import * as z from 'zod';
import { invalid } from '../errors.ts';
import { roleSql } from '../lamassu/role-sql.ts';
import { roleSqlView } from '../views/role-sql.ts';
import { operation } from './operation.ts';

/** The SQL of the role that reads Lamassu. Needs no configuration where both names are given. */
export const makeRoleSql = operation({
  name: 'role_sql',
  needs: 'none',
  may: [],
  errors: [],
  /** The names by default from the configuration; `set_password`: with the password there, not a question for one. */
  input: z.strictObject({
    user: z.string().optional(),
    database: z.string().optional(),
    set_password: z.boolean().optional(),
  }),
  view: roleSqlView,
  run: async ({ config }, given) => {
    const user = given.user ?? (await config()).lamassu.user;
    const database = given.database ?? (await config()).lamassu.database;
    if (!given.set_password) return { sql: roleSql({ user, database }) };
    const { password } = (await config()).lamassu;
    if (!password) throw invalid('set_password', 'the configuration has no password for Lamassu’s database');
    return { sql: roleSql({ user, database, password }) };
  },
});
