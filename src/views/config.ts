import * as z from 'zod';
import { type ConfigOrigins, LEDGER_FILE_STATES, ORIGINS } from '../config/origins.ts';
import { SECRET_ORIGINS, SECRETS } from '../config/secrets.ts';
import { problemView, viewOfProblem } from './fields.ts';

/** A value as config.toml writes it. */
const value = z.union([z.string(), z.bigint(), z.boolean(), z.array(z.union([z.string(), z.bigint()]))]);

/** What is in force, and where each value comes from. Of a secret, only whether and where it is set. */
export const configView = z.object({
  /** False if the file has mistakes, or a secret that is needed is missing. */
  ok: z.boolean(),
  /** The user whose rights decide what can be read. */
  user: z.string(),
  file: z.string(),
  chosen_by: z.enum(['option', 'environment', 'folder', 'system']),
  /** Other configurations that are there and not read. */
  passed_over: z.array(z.string()),
  problem: problemView.nullable(),
  /** If the file breaks off as TOML: the last line that could be read. Settings below it are unknown. */
  read_up_to_line: z.number().nullable(),
  settings: z.array(
    z.object({
      key: z.string(),
      value: value.nullable(),
      origin: z.enum(ORIGINS),
      line: z.number().nullable(),
      /** True if it is a mistake, whose value is not shown. */
      refused: z.boolean(),
    }),
  ),
  secrets: z.array(
    z.object({
      key: z.enum(SECRETS),
      state: z.enum(['set', 'missing', 'unusable', 'unset']),
      origin: z.enum(SECRET_ORIGINS).nullable(),
      /** The file, or the environment variable. */
      place: z.string().nullable(),
      problem: problemView.nullable(),
    }),
  ),
  /** Null: a ledger on a server. */
  ledger_file: z.enum(LEDGER_FILE_STATES).nullable(),
  /** Environment variables that begin with AIO_DCA_ and that nothing reads. */
  ignored_variables: z.array(z.string()),
});

export type ConfigView = z.output<typeof configView>;

export function viewOfConfig(seen: ConfigOrigins): ConfigView {
  const { user, file, problem, settings, secrets } = seen;
  return {
    ok: problem === null && secrets.every(({ state }) => state !== 'missing'),
    ...{ user, file, chosen_by: seen.chosenBy, passed_over: seen.passedOver },
    problem: problem && viewOfProblem(problem),
    read_up_to_line: seen.readUpTo,
    settings,
    secrets: secrets.map((secret) => ({
      ...secret,
      problem: secret.problem && viewOfProblem(secret.problem),
    })),
    ledger_file: seen.ledgerFile,
    ignored_variables: seen.ignoredVariables,
  };
}
