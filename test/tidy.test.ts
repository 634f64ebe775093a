import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, matchesGlob } from 'node:path/posix';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { SYSTEM, UNIT } from '../vitest.config.ts';

/*
 * What linters do not know of this project: constructs that were banned, each with the reason and what to use
 * instead, and the one way in which imports point.
 */

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** The files that git keeps or would keep, as paths from the root, with their text. */
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: ROOT,
  encoding: 'utf8',
})
  .split('\n')
  .filter((path) => path !== '' && path !== 'package-lock.json' && existsSync(join(ROOT, path)))
  .map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }));

interface Ban {
  where: RegExp;
  what: RegExp;
  why: string;
}

const bans: Ban[] = [
  {
    where: /^src\/(dca|ledger|lamassu|payouts)\//,
    what: /\bparseFloat\b|\.toFixed\b|\bMath\.round\b/,
    why: 'Floating point loses money. Use bigint with parseDecimal, formatDecimal and roundHalfUp of src/dca.',
  },
  {
    where: /^src\/dca\//,
    what: /\bDate\.now\b|\bnew Date\(\)|\bTemporal\.Now\b|\bprocess\./,
    why: 'src/dca is pure: the same input gives the same division. Take the time as an argument.',
  },
  {
    where: /^src\//,
    what: /api\/v1\/payments\/(?!paginated|\{hash\})|PAYMENTS\}\//,
    why: 'That look-up marks an unpaid internal invoice as failed for good. Use LnbitsClient.find.',
  },
  {
    where: /^src\/lamassu\//,
    what: /select \* from (?!\()/i,
    why: 'It breaks when Lamassu adds a column, and reads personal data. Name columns, by src/lamassu/columns.ts.',
  },
  {
    where: /^src\/(?!cli\/)/,
    what: /\bconsole\.|\bprocess\.stdout\b/,
    why: 'stdout is for answers and belongs to src/cli. Return values, or take a logger.',
  },
  {
    where: /^src\/(?!cli\/)/,
    what: /\bprocess\.env\b/,
    why: 'The environment is read in src/cli and handed down, so that a test can choose it.',
  },
  {
    where: /^src\//,
    what: /\bprocess\.exit\(/,
    why: 'It cuts off what is being written and closed. Set process.exitCode and return.',
  },
  {
    where: /^src\/(?!monitoring\/systemd\.ts$)/,
    what: /\bchild_process\b|\bworker_threads\b|\bnode:cluster\b/,
    why: 'A started program sees arguments and environment, where secrets may stand. Only systemd-notify is needed.',
  },
  {
    where: /^(src|migrations|bin)\//,
    what: /\beval\(|\bnew Function\b|\bnode:vm\b|\bshell: *true\b|process\.binding\b/,
    why: 'Text must never become code: what Lamassu, LNbits and people write would.',
  },
  {
    where: /^src\//,
    what: /\bprocess\.report\b|writeHeapSnapshot|generateHeapSnapshot/,
    why: 'Such a file has the environment and the memory in it, with every secret.',
  },
  {
    where: /^src\//,
    what: /\b(VITEST|NODE_ENV)\b/,
    why: 'The program does not know that it is tested. Let the test choose its surroundings.',
  },
  {
    where: /\.test\.ts$/,
    what: /\b(test|it|describe)\.(only|todo)\b/,
    why: 'The other tests of the file would silently not run.',
  },
  {
    where: /^test\//,
    what: /\b(test|it|describe)\.skip\(/,
    why: 'A test is skipped only where its real part is absent, and never in CI: skipIf, as for sshd.',
  },
  {
    where: /^(?!test\/tidy)/,
    what: /\/(home|Users|root|work|workspace)\/[a-z]/,
    why: 'A path of one machine means nothing elsewhere. Use paths relative to the file, or a temporary folder.',
  },
  {
    where: /^(?!test\/tidy)/,
    what: /registry\.[a-z]+\.(org|com|io)|index-url|\bverdaccio\b/,
    why: 'Where packages come from is the business of the machine that installs them.',
  },
  {
    where: /^(src|migrations)\//,
    what: /\b(TODO|FIXME|XXX|HACK)\b/,
    why: 'It waits there for nobody. Do it, or open an issue.',
  },
];

for (const { where, what, why } of bans) {
  test(why, () => {
    const found = files
      .filter(({ path }) => where.test(path))
      .flatMap(({ path, text }) =>
        text
          .split('\n')
          .flatMap((line, index) => (what.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : [])),
      );
    expect(found).toEqual([]);
  });
}

/**
 * What each folder of src/ may use besides itself, lib/, errors.ts and time.ts. The way of a cash-out is one straight line:
 * a door → operations → scheduler → lamassu and payouts → ledger and lnbits → dca.
 */
const mayUse: Record<string, string[]> = {
  lib: [],
  dca: [],
  typed: ['dca'],
  config: ['dca', 'typed'],
  lnbits: ['config/secret'],
  lamassu: ['config/secret', 'dca'],
  ledger: ['config/secret', 'dca', 'migrations'],
  payouts: ['config/secret', 'dca', 'ledger', 'lnbits'],
  scheduler: ['config', 'dca', 'lamassu', 'ledger', 'lnbits', 'payouts'],
  reconcile: [
    'config',
    'dca',
    'lamassu',
    'ledger',
    'lnbits',
    'payouts',
    'scheduler/rules',
    'scheduler/setup',
  ],
  doctor: ['config', 'dca', 'lamassu', 'ledger', 'lnbits'],
  export: ['dca', 'ledger'],
  monitoring: ['config', 'dca', 'ledger', 'lnbits', 'scheduler'],
  views: ['dca', 'ledger'],
  operations: [
    'config',
    'dca',
    'doctor',
    'export',
    'lamassu',
    'ledger',
    'lnbits',
    'monitoring',
    'payouts',
    'reconcile',
    'scheduler',
    'typed',
    'views',
  ],
  cli: [
    'config',
    'dca',
    'doctor',
    'export',
    'lamassu',
    'ledger',
    'lnbits',
    'monitoring',
    'operations',
    'package.json',
    'payouts',
    'reconcile',
    'scheduler',
    'typed',
    'views',
  ],
};

test('imports point one way', () => {
  const wrong = files.flatMap(({ path, text }) => {
    const [top, folder = '', rest] = path.split('/');
    if (top !== 'src' || rest === undefined) return [];
    const allowed = [folder, 'lib', 'errors.ts', 'time.ts', ...(mayUse[folder] ?? [])];
    return importsOf(text).flatMap((name) => {
      const target = join(dirname(path), name).replace(/^src\//, '');
      const fine = allowed.some(
        (one) => target === one || target === `${one}.ts` || target.startsWith(`${one}/`),
      );
      return fine ? [] : [`${path} uses ${target}`];
    });
  });
  expect(wrong, 'Hand a value down instead, or move what both need below both.').toEqual([]);
});

test('the program uses nothing of the tests', () => {
  const wrong = files
    .filter(({ path }) => /^(src|migrations|bin)\//.test(path))
    .filter(({ text }) => importsOf(text).some((name) => /\/(test|demo|bench)\//.test(name)));
  expect(wrong.map(({ path }) => path)).toEqual([]);
});

/** What starts processes or servers: the files of test/support that need more than their importer's own process. */
const PROCESSES = ['command', 'dropbear', 'kill', 'lnbits-real', 'sshd', 'systemd', 'terminal', 'world'];
const SERVERS = ['ledgers', 'lnbits-simulator', 'postgres', 'ssh'];

test('a test imports no more than its project has: unit, integration, system', () => {
  const support = (names: string[]) => names.map((name) => `test/support/${name}.ts`);
  const wrong = files.flatMap(({ path, text }) => {
    if (!/^test\/(?!proof\/).*\.test\.ts$/.test(path)) return [];
    const matches = (globs: string[]) => globs.some((glob) => matchesGlob(path, glob));
    if (matches(SYSTEM) && !path.endsWith('.unit.test.ts')) return [];
    const unit = matches(UNIT);
    const reached = unit
      ? reachedFrom(path)
      : new Set(importsOf(text).map((name) => join(dirname(path), name)));
    const banned = support(unit ? [...PROCESSES, ...SERVERS] : PROCESSES).filter((file) => reached.has(file));
    const modules = unit ? /'node:(child_process|net|http|sqlite)'/ : /'node:child_process'/;
    if (modules.test(text) && path !== 'test/tidy.test.ts') banned.push(modules.exec(text)?.[0] ?? '');
    return banned.map((name) => `${path} imports ${name}`);
  });
  expect(wrong, 'Name it NAME.system.test.ts, or NAME.test.ts in a folder without unit tests.').toEqual([]);
});

/** The files that a file of the tests imports, and those that they import. */
function reachedFrom(path: string, reached = new Set<string>()): Set<string> {
  const text = files.find((file) => file.path === path)?.text ?? '';
  for (const name of importsOf(text.replaceAll(/^import type .*$/gm, ''))) {
    const target = join(dirname(path), name);
    if (!target.startsWith('test/') || reached.has(target)) continue;
    reached.add(target);
    reachedFrom(target, reached);
  }
  return reached;
}

test('no file of the program is longer than 400 lines', () => {
  const long = files
    .filter(({ path }) => /^(src|demo)\//.test(path))
    .filter(({ text }) => text.split('\n').length > 400)
    .map(({ path }) => path);
  expect(long, 'It has more than one reason to exist. Split it.').toEqual([]);
});

/** The relative files that a module imports, also lazily. */
function importsOf(text: string): string[] {
  return [...text.matchAll(/(?:\bfrom|\bimport\(|^import) ?'(\.[^']+)'/gm)].map(([, name = '']) => name);
}
