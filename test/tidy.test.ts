import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, matchesGlob } from 'node:path/posix';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { SYSTEM, UNIT } from '../vitest.config.ts';

/*
 * Rules of this project that linters do not know: banned constructs, each with the reason and the replacement, and the
 * direction of imports.
 */

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** The files that git has or would add, as paths from the root, with their text. */
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: ROOT,
  encoding: 'utf8',
})
  .split('\n')
  .filter((path) => !/^$|^package-lock\.json$|\.webp$/.test(path) && existsSync(join(ROOT, path)))
  .map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }));

interface Ban {
  where: RegExp;
  what: RegExp;
  why: string;
}

const bans: Ban[] = [
  {
    // Besides: the uptime in ms; LNbits' own rate of its service fee, which is floating point there.
    where: /^src\/(?!time\.ts$|lnbits\/admin\.ts$)/,
    what: /\bparseFloat\b|\.to(Fixed|Precision|Exponential)\b|\bMath\.(round|fround)\b|\bBigInt\((Math|Number)\b/,
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
    what: /\bprocess(\.|\[['"`])env\b/,
    why: 'The environment is read in src/cli and handed down, so that a test can choose it.',
  },
  {
    where: /^src\//,
    what: /\bprocess\.exit\(/,
    why: 'It cuts off what is being written and closed. Set process.exitCode and return.',
  },
  {
    where: /^src\/(?!cli\/|web\/browser\/|time\.ts$|lamassu\/(deadline|tcp)\.ts$|lnbits\/http\.ts$)/,
    what: /\bsystemClock\b|\bDate\.now\b|\bnew Date\b(?!\(\S)|\bperformance\b|\bhrtime\b|\bTemporal\.Now\b|\bset(Timeout|Interval|Immediate)\b|\bAbortSignal\.timeout\b|\bnode:timers\b|\b(uptime|sinceBoot)\(\)/,
    why: 'The door hands down one clock, so that a test can hand down its own. Take the clock of the ledger or the context.',
  },
  {
    // clock-shift.mjs is for the program as a process of its own, to which no test can hand down anything.
    where: /^test\/(?!tidy|support\/clock-shift\.mjs$)/,
    what: /\b(useFakeTimers|setSystemTime|registerHooks)\b|\bspyOn\((globalThis|process|Date|performance)\b|\b(Date|performance)\.now = |\bglobalThis\.[\w.]+ = |\bstubGlobal\(\s*['"](Date|performance|set[A-Z])|\bvi\.(mock|doMock)\(.*(session|time|lnbits)/,
    why: 'Time and LNbits are handed down. Hand down a clock of test/support/clock.ts.',
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
    where: /^src\/(operations|views)\//,
    what: /\bz\.(any|custom|looseObject)[(<]|\.(passthrough|loose|catchall)\(|\b(input|view): z\.unknown\(/,
    why: 'Input and view have a schema that says what they hold, so that every door can ask for it and read it.',
  },
  {
    where: /^src\//,
    what: /\bimport\((?!')/,
    why: 'Name the file that is imported, in single quotes, so that the direction of imports can be checked.',
  },
  {
    where: /^src\//,
    what: /^export \{.*\bas\b/,
    why: 'A name is exported as it is declared, so that it can be searched for.',
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
 * What each folder of src/ may use besides itself, lib/, errors.ts and time.ts. The way of a cash-out is one straight
 * line: a door → operations → scheduler → judging and payouts → lamassu, ledger and lnbits → dca.
 */
const mayUse: Record<string, string[]> = {
  lib: [],
  dca: [],
  typed: ['dca'],
  config: ['dca', 'typed'],
  access: ['config/secret'],
  lnbits: ['config/secret'],
  lamassu: ['config/secret', 'dca'],
  ledger: ['config/secret', 'dca', 'migrations'],
  payouts: ['config/secret', 'dca', 'ledger', 'lnbits'],
  judging: ['config', 'lamassu', 'ledger'],
  scheduler: ['config', 'dca', 'judging', 'lamassu', 'ledger', 'lnbits', 'payouts'],
  reconcile: ['config', 'dca', 'judging', 'lamassu', 'ledger', 'lnbits', 'payouts'],
  doctor: ['config', 'dca', 'lamassu', 'ledger', 'lnbits'],
  init: ['config/secret', 'config/secret-input', 'lamassu', 'ledger', 'lnbits'],
  export: ['dca', 'ledger'],
  statement: ['dca', 'ledger'],
  monitoring: ['config', 'dca', 'ledger', 'lnbits', 'scheduler'],
  views: [
    'config',
    'dca',
    'doctor',
    'export',
    'init',
    'ledger',
    'monitoring',
    'reconcile',
    'scheduler',
    'statement',
  ],
  operations: [
    'access',
    'config',
    'dca',
    'doctor',
    'export',
    'init',
    'judging',
    'lamassu',
    'ledger',
    'lnbits',
    'monitoring',
    'payouts',
    'package.json',
    'reconcile',
    'scheduler',
    'statement',
    'typed',
    'views',
  ],
  // Besides operations, views and the configuration, a door only writes and reads values: what people type (typed), and
  // the digits of amounts (dca/money), as lib, errors.ts and time.ts do. None of them decides what the program does.
  // No door builds on another. `aio-dca serve` is the command that starts the web, so it has to name it.
  cli: ['config', 'dca/money', 'operations', 'package.json', 'typed', 'views', 'web/start-sites.ts'],
  web: ['config', 'dca/money', 'operations', 'package.json', 'typed', 'views'],
};

/** What parses, calls an operation and shows its view. */
const DOORS = ['cli', 'web'];

/** Whether a file of this folder may import this one; both without `src/`. */
function mayImport(folder: string, target: string): boolean {
  return [folder, 'lib', 'errors.ts', 'time.ts', ...(mayUse[folder] ?? [])].some(
    (one) => target === one || target === `${one}.ts` || target.startsWith(`${one}/`),
  );
}

test('imports point one way', () => {
  const wrong = files.flatMap(({ path, text }) => {
    const [top, folder = '', rest] = path.split('/');
    if (top !== 'src' || rest === undefined) return [];
    return importsOf(text).flatMap((name) => {
      const target = join(dirname(path), name).replace(/^src\//, '');
      return mayImport(folder, target) ? [] : [`${path} uses ${target}`];
    });
  });
  expect(wrong, 'Hand a value down instead, or move what both need below both.').toEqual([]);
});

/** The files of the program, each with those that it imports, also for a type only. */
const fileUses = new Map(
  files
    .filter(({ path }) => path.startsWith('src/'))
    .map(({ path, text }) => [path, new Set(importsOf(text).map((name) => join(dirname(path), name)))]),
);

/** What `of` names of each file, with what it names of the files that these import. */
function usesOf(of: (path: string) => string | undefined): Map<string, Set<string>> {
  const uses = new Map<string, Set<string>>();
  for (const [path, targets] of fileUses) {
    const one = of(path);
    if (one === undefined) continue;
    const used = uses.get(one) ?? new Set();
    uses.set(one, used);
    for (const target of targets) {
      const other = fileUses.has(target) ? of(target) : undefined;
      if (other !== undefined && other !== one) used.add(other);
    }
  }
  return uses;
}

/** The ways that lead from one back to itself: `a → b → a`. */
function circlesIn(uses: Map<string, Set<string>>): string[] {
  const seen = new Set<string>();
  const circles: string[] = [];
  const visit = (one: string, way: string[]): void => {
    const start = way.indexOf(one);
    if (start >= 0) circles.push([...way.slice(start), one].join(' → '));
    if (seen.has(one)) return;
    seen.add(one);
    for (const next of uses.get(one) ?? []) visit(next, [...way, one]);
  };
  for (const one of uses.keys()) visit(one, []);
  return circles;
}

test('no file imports itself by others, types included', () => {
  expect(circlesIn(fileUses), 'Move what both need into the file that owns it.').toEqual([]);
});

test('no folder imports itself by others', () => {
  // Each folder counts by itself, without those in it: src/ledger stands above src/ledger/store.
  expect(circlesIn(usesOf(dirname)), 'Move what both need below both, or what needs both above.').toEqual([]);
});

/**
 * What each folder in `top` uses, without what it uses through another that it uses: a line for each, from the top
 * down.
 */
function importsPicture(top: string): string {
  const uses = usesOf((path) => /^([^/]+)\//.exec(path.startsWith(top) ? path.slice(top.length) : '')?.[1]);
  const below = (folder: string): Set<string> =>
    new Set([...(uses.get(folder) ?? [])].flatMap((one) => [one, ...below(one)]));
  const height = (folder: string): number =>
    Math.max(0, ...[...(uses.get(folder) ?? [])].map((one) => height(one) + 1));
  const width = Math.max(...[...uses.keys()].map(({ length }) => length));
  return [...uses.keys()]
    .toSorted((a, b) => height(b) - height(a) || (a < b ? -1 : 1))
    .map((folder) => {
      const used = [...(uses.get(folder) ?? [])];
      const direct = used.filter((one) => !used.some((other) => other !== one && below(other).has(one)));
      const list = direct.toSorted((a, b) => height(b) - height(a) || (a < b ? -1 : 1)).join(', ');
      return `${folder.padEnd(width)} ${list === '' ? '' : `──► ${list}`}`.trimEnd();
    })
    .join('\n');
}

test.each([
  { top: 'src/', heading: '## Layers' },
  { top: 'src/ledger/', heading: '### The ledger' },
])('docs/architecture.md has the picture of the imports in $top', ({ top, heading }) => {
  const page = files.find(({ path }) => path === 'docs/architecture.md')?.text ?? '';
  const [, section = ''] = page.split(`\n${heading}\n`);
  const [, drawn] = /```\n([\s\S]*?)\n```/.exec(section) ?? [];
  expect(drawn, 'Copy it there.').toBe(importsPicture(top));
});

/** The words of commands, from the names of operations: `payouts pause`. */
const COMMANDS = files
  .filter(({ path }) => path.startsWith('src/operations/'))
  .flatMap(({ text }) => [...text.matchAll(/^ {2}name: '([a-z_]+\.[a-z_]+)',$/gm)])
  .map(([, name = '']) => name.replace('.', ' ').replaceAll('_', '-'));

/** The commands of one word, which are ordinary words as well: `status`. */
const ONE_WORD = 'backup|config|doctor|init|migrate|poll|reconcile|role-sql|run|status|verify';

/** A command within a text; the whole text by itself is the name of a change in the log. */
const COMMAND = new RegExp(
  `.(?<!\\bupdate )\\b(${COMMANDS.join('|')})\\b|^(${COMMANDS.join('|')})\\b.|\\b[Rr]un \`?(${ONE_WORD})\\b|\`(${ONE_WORD})\`|\\b(this|the|[Aa]nother) command\\b`,
);

/** A command in a comment. Without quotes its words are ordinary ones: payouts retry after that. */
const QUOTED_COMMAND = new RegExp(`\`(${COMMANDS.join('|')})\\b`);

/** The program or one of its options. */
const DOOR = /\baio-dca [a-z]|(^|[\s`'"(])--[a-z]/;

/** Our own errors, by what their texts or codes look like. */
const BY_TEXT = [
  /\b(message|code|sentence|reason|detail|hint|what)\??\.(includes|startsWith|endsWith|match|matchAll|search|indexOf|split\((?!'\\n'))/,
  /\.(test|exec)\([^()]*\b(message|code|sentence|hint)\)/,
  /\b(message|sentence) [!=]== |\bswitch \([^()]*\b(message|sentence)\)/,
];

/** Where errors of other programs are read, which say what happened by their text alone. */
const FOREIGN_ERRORS: Record<string, string> = {
  'src/lamassu/refusal.ts': 'PostgreSQL, ssh2, pgbouncer',
  'src/lamassu/ssh-key.ts': 'ssh2',
  'src/ledger/store/failure.ts': 'SQLite, PostgreSQL, pgbouncer',
  'src/ledger/store/postgresql.ts': 'pg',
  'src/lib/tls.ts': 'OpenSSL',
  'src/lnbits/http.ts': 'undici, by the form of its codes',
};

/** What may become a number, by the last word of its name: digits, counts, ports, versions, times in ms. */
const NO_AMOUNT =
  /^(digits|count|total|last|log|uid|gid|pid|port|get|slice|units|header|version|ms|\w+_ms|uptime|part|seq|id|counter|purchases|parseWhole)$/;

/** Where an amount becomes a number all the same, because JSON for another program has no other. */
const AMOUNTS_AS_JSON: Record<string, string> = {
  'src/lib/exact-number.ts': 'JSON of a view; refused beyond 2^53',
  'src/lnbits/admin.ts': 'a request to LNbits; below 2^53, as LARGEST_CREDIT is',
  'src/lnbits/wallet-client.ts': 'a request to LNbits; below 2^53, as LNbits allows no more',
  'src/monitoring/metrics.ts': 'samples of Prometheus',
  'src/payouts/label.ts': 'the label in a payment',
  'src/scheduler/poll.ts': 'lines of the log of a run',
  'src/scheduler/report.ts': 'the summary of a run in its row',
  'src/web/pages/client/charts.ts': 'the height of a point in a picture; the table below has the amount',
  'src/web/pages/client/cash.ts': 'the width of a bar; the amounts stand beside it',
};

/** What holds of every file, each with texts that break it. */
const rules: {
  rule: string;
  breaks(path: string, text: string): boolean;
  examples: { path: string; texts: string[] };
}[] = [
  {
    rule: 'every write to the ledger lies in src/ledger or in a migration',
    breaks: (path, text) =>
      /^src\/(?!ledger\/)/.test(path) &&
      (/\.((insert|replace|merge)Into|updateTable|deleteFrom)\(/.test(text) ||
        stringsOf(text).some((one) =>
          /\b((insert|replace|merge)\s+into|update\s+(only\s+)?\S+(\s+(as\s+)?\w+)?\s+set|delete\s+from|truncate\s+(table|only)|(create|alter|drop)\s+(table|index|view|trigger))\b|^.\s*truncate\b/i.test(
            one,
          ),
        )),
    examples: {
      path: 'src/scheduler/x.ts',
      texts: [
        "await sql`update payouts set state = 'held'`.execute(db);",
        "await sql`with x as (select 1) update payouts set state = 'held'`.execute(db);",
        "await sql`update only payouts as p set state = 'held'`.execute(db);",
        'await sql`\n  delete from payouts`.execute(db);',
        "await db.updateTable('payouts').set({ state: 'held' }).execute();",
      ],
    },
  },
  {
    rule: 'an amount becomes a floating-point number only where it leaves the program as JSON',
    breaks: (path, text) =>
      /^src\/(?!cli\/terminal\/|config\/)/.test(path) &&
      !(path in AMOUNTS_AS_JSON) &&
      ([...text.matchAll(/\bNumber\(\s*(?:[\w?.]*\.)?(\w*)/g)].some(
        ([, name = '']) => !NO_AMOUNT.test(name),
      ) ||
        /\bmap\(Number\)/.test(text)),
    examples: {
      path: 'src/payouts/x.ts',
      texts: [
        'const paid = Math.floor(Number(sats) * 0.95);',
        'const half = Number(row.gross) / 2;',
        'const all = parts.map(Number);',
      ],
    },
  },
  {
    rule: 'nothing below a door names an option or a command, in a text or in a comment',
    breaks: (path, text) =>
      /^src\/(?!cli\/)/.test(path) &&
      (stringsOf(text).some((one) => DOOR.test(one) || COMMAND.test(one.slice(1, -1))) ||
        commentsOf(text).some((one) => DOOR.test(one) || QUOTED_COMMAND.test(one))),
    examples: {
      path: 'src/payouts/x.ts',
      texts: [
        "const hint = 'Run payouts pause first.';",
        "const hint = 'Add --yes.';",
        '/** Why this file: `--config` named it. */',
        '// Asked by `payouts hold`.',
        'const kind = 1; // as `aio-dca poll` has it',
      ],
    },
  },
  {
    rule: 'nothing is decided by the text of our own errors or by the form of their codes',
    breaks: (path, text) =>
      path.startsWith('src/') && !(path in FOREIGN_ERRORS) && BY_TEXT.some((form) => form.test(text)),
    examples: {
      path: 'src/operations/x.ts',
      texts: [
        "if (error.message.includes('could be')) return [];",
        "if (e.message === 'could be') return [];",
        'if (/could be/.test(e.message)) return [];',
        "const found = ({ message }: Error) => message.includes('could be');",
        'if (/^lnbits\\//.test(error.code)) return;',
        "const [of] = error.code.split('/');",
        "if (code.startsWith('lnbits/')) return;",
        "if (error?.sentence.endsWith('.')) return;",
        "switch (error.message) { case 'x': return; }",
      ],
    },
  },
  {
    rule: 'a door opens no database and sends no request; only the web listens',
    breaks: (path, text) =>
      (path.startsWith('src/cli/') &&
        /'(kysely|pg|pg-cursor|ssh2|undici|node:(sqlite|net|tls|http|https))'/.test(text)) ||
      (path.startsWith('src/web/') &&
        /'(kysely|pg|pg-cursor|ssh2|undici|node:(sqlite|tls|https))'/.test(text)),
    examples: { path: 'src/cli/x.ts', texts: ["import { sql } from 'kysely';"] },
  },
  {
    rule: 'a door imports only operations, views, config and how values are written',
    breaks: (path, text) =>
      DOORS.some(
        (door) =>
          path.startsWith(`src/${door}/`) &&
          importsOf(text).some((name) => !mayImport(door, join(dirname(path), name).replace(/^src\//, ''))),
      ),
    examples: {
      path: 'src/cli/x.ts',
      texts: [
        "import { divide } from '../dca/allocate.ts';",
        "const { divide } = await import('../dca/allocate.ts');",
      ],
    },
  },
  {
    rule: 'the client, the operator: no he or she, his or her',
    breaks: (path, text) =>
      /^(src|docs|migrations|demo|bench|contrib|test)\/|^[A-Z]+\.md$/.test(path) &&
      path !== 'test/tidy.test.ts' &&
      /\b(s?he|his|him(self)?|her(s|self)?)\b/i.test(text),
    examples: {
      path: 'docs/x.md',
      texts: ['A client who changes his wallet', 'She is told of each run.'],
    },
  },
  {
    rule: 'comments name who is meant, the operator or the client: not “a person”',
    breaks: (path, text) =>
      path.startsWith('src/') && commentsOf(text).some((one) => /\ba person\b/i.test(one)),
    examples: { path: 'src/dca/x.ts', texts: ['/** Held until a person looks at it. */'] },
  },
  {
    rule: 'a line of a comment has at most 120 columns, as .editorconfig says',
    breaks: (path, text) =>
      /\.(ts|mjs)$/.test(path) &&
      text.split('\n').some((line) => line.length > 120 && /^\s*(\/?\*|\/\/)/.test(line)),
    examples: { path: 'src/dca/x.ts', texts: [`/** ${'long '.repeat(30)}*/`] },
  },
];

for (const { rule, breaks, examples } of rules) {
  test(rule, () => {
    const broken = files.filter(({ path, text }) => breaks(path, text)).map(({ path }) => path);
    expect(broken, 'Write it as the rule says.').toEqual([]);
    const unseen = examples.texts.filter((text) => !breaks(examples.path, text));
    expect(unseen, 'The rule sees what breaks it.').toEqual([]);
  });
}

/** The comments of a module. A text in quotes may look like one: `https://…`. */
function commentsOf(text: string): string[] {
  return text.match(/\/\*[\s\S]*?\*\/|(?<!:)\/\/.*$/gm) ?? [];
}

/** The texts in quotes of a module, without those in its comments. */
function stringsOf(text: string): string[] {
  const code = text.replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
  return code.match(/'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/g) ?? [];
}

/**
 * Where each noun has a file of its name: how it is asked for, shown, done, answered, kept and verified; and each of
 * its verbs.
 */
const OF_A_NOUN =
  /^src\/((cli|cli\/pages|cli\/(clients|commission|fundings|ledger|machines|payouts)|operations|views|ledger\/verify|web\/pages\/(?:admin|client)|web\/text\/(?:en|es))\/[^/]+|ledger\/([a-z-]+)\/\4\.ts)$/;

/** Files of one name outside of that, and the one job that they share. */
const sameJob: Record<string, string> = {
  'backup.ts': 'a backup: the command, its work',
  'cash-left.ts': 'the clients’ cash that is left: the query, its view',
  'cash-out.ts': 'a cash-out: its division, its page',
  'clock.ts': 'the comparison of a clock with this host’s',
  'clocks.ts': 'the clocks of a run: measured, and kept',
  'commission.ts': 'the commission',
  'config.ts': 'the configuration: its values as the program uses them, the command, its page',
  'copy.ts': 'moving the ledger: the command, its work',
  'credits.ts': 'credits of the source wallet',
  'errors.ts': 'the errors: the catalogue, and which an operation may end with',
  'findings.ts': 'what verify or reconcile found',
  'fixed.ts': 'fixed mode: the command, the run',
  'lamassu.ts': 'the part of doctor or reconcile that asks Lamassu, or of init that asks for it',
  'lnbits.ts': 'the part of doctor or reconcile that asks LNbits, or of init that asks for it',
  'metrics.ts': 'the metrics: the command, the numbers',
  'names.ts': 'names of clients: free, well formed',
  'operator-actions.ts': 'what the operator decides of the noun of its folder',
  'overpaid.ts': 'what arrived beyond a payout: the command, its booking',
  'overview.ts': 'the overview: the ledger in numbers, its page',
  'own-share.ts': 'the own share: what is taken out of it, its view, its page',
  'pace.ts': 'how fast LNbits is asked',
  'poll.ts': 'one run: the command, its work, its page',
  'reconcile.ts': 'reconciling: the command, its work',
  'review.ts': 'cash-outs in review: the command, its work, the page, the rows',
  'resolve.ts': 'deciding by hand what became of a payment: the command, the rules',
  'rights.ts': 'what the rights of a role or a key allow',
  'role-sql.ts': 'the SQL of the role: the command, the text',
  'service-fee.ts': 'LNbits’ service fee: booked, looked at',
  'settings.ts': 'the settings of a new installation: asked for, written',
  'settlement.ts': 'a settlement: its division, its entry, its page',
  'source.ts': 'the Lamassu server: bound to the ledger, read',
  'source-wallet.ts': 'the source wallet: kept in the ledger, looked at before it pays',
  'status.ts': 'the status',
  'unknown-payments.ts': 'payments that only LNbits knows: found, entered',
  'view.ts': 'the rows of the noun of its folder, as lists show them',
  'waits.ts': 'who waits for what: the query, its view, its page',
};

test('files of one name have one job', () => {
  const places = Map.groupBy(
    files.map(({ path }) => path).filter((path) => path.startsWith('src/') && !OF_A_NOUN.test(path)),
    (path) => path.split('/').at(-1) ?? '',
  );
  const every = Map.groupBy(
    files.map(({ path }) => path).filter((path) => path.startsWith('src/')),
    (path) => path.split('/').at(-1) ?? '',
  );
  const doubled = [...places.keys()].filter((name) => (every.get(name)?.length ?? 0) > 1);
  expect(
    doubled.filter((name) => !(name in sameJob)),
    'Name each by what it alone does.',
  ).toEqual([]);
  expect(
    Object.keys(sameJob).filter((name) => !doubled.includes(name)),
    'Not doubled any more.',
  ).toEqual([]);
});

/** Names that several files export, and the one meaning that they share. The list may only shrink. */
const sameMeaning: Record<string, string> = {
  examine: 'all checks of doctor: the operation, its work',
  holdPayout: 'holding a payout: the operation, its step in the ledger',
  reconcile: 'comparing with Lamassu and LNbits: the operation, its work',
  register: 'adds a file’s commands to the command line',
};

test('an exported name, and a type that is declared anywhere, has one meaning', () => {
  const declared =
    /^(?:export (?:async )?(?:function\*?|const)|(?:export )?(?:declare )?(?:abstract )?(?:class|interface|type|enum)) (\w+)/gm;
  const names = files
    .filter(({ path }) => path.startsWith('src/'))
    .flatMap(({ text }) => [...new Set([...text.matchAll(declared)].map(([, name = '']) => name))]);
  const doubled = [...Map.groupBy(names, (name) => name)]
    .filter(([, places]) => places.length > 1)
    .map(([name]) => name);
  expect(
    doubled.filter((name) => !(name in sameMeaning)),
    'Name each by what it alone is.',
  ).toEqual([]);
  expect(
    Object.keys(sameMeaning).filter((name) => !doubled.includes(name)),
    'Not doubled any more.',
  ).toEqual([]);
});

test('the program uses nothing of the tests', () => {
  const wrong = files
    .filter(({ path }) => /^(src|migrations|bin)\//.test(path))
    .filter(({ text }) => importsOf(text).some((name) => /\/(test|demo|bench)\//.test(name)));
  expect(wrong.map(({ path }) => path)).toEqual([]);
});

/** Tests whose subject is the whole program or lies outside of src. */
const WHOLE = [
  'tidy',
  'build',
  'docs',
  'end-to-end',
  'install',
  'contrib',
  'satmachineadmin',
  'release',
  'demo',
];

test('a test stands where its subject stands and has its name', () => {
  const known = new Set(
    files.flatMap(({ path }) => {
      if (path.startsWith('test/support/') && !path.endsWith('.test.ts'))
        return [path.replace(/\.[^/]+$/, '')];
      // A folder of src is the subject of what stands beside it.
      if (!path.startsWith('src/')) return [];
      return [path.replace(/\.ts$/, ''), dirname(path)].map((name) => name.replace(/^src/, 'test'));
    }),
  );
  for (const name of WHOLE) known.add(`test/${name}`);
  const tests = files.map(({ path }) => path).filter((path) => /^test\/(?!proof\/).*\.test\.ts$/.test(path));
  expect(
    tests.filter((path) => !known.has(path.replace(/\.[^/]+$/, ''))),
    'Name it SUBJECT.CASE.test.ts, in the folder of its subject.',
  ).toEqual([]);
  expect(
    WHOLE.filter((name) => !tests.some((path) => path.startsWith(`test/${name}.`))),
    'Not there any more.',
  ).toEqual([]);
});

test('docs/README.md lists each page of docs/ once, and what the documentation links to is there', () => {
  const targets = (path: string) =>
    [
      ...(files.find((file) => file.path === path)?.text ?? '').matchAll(
        /\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)/g,
      ),
    ].map(([, target = '']) => join(dirname(path), target));
  const pages = files.map(({ path }) => path).filter((path) => /^docs\/.*\.md$/.test(path));
  const listed = targets('docs/README.md').filter((path) => path.startsWith('docs/'));
  const others = pages.filter((path) => path !== 'docs/README.md');
  expect(new Set(listed)).toEqual(new Set(others));
  expect(listed).toHaveLength(others.length);
  const documentation = files.map(({ path }) => path).filter((path) => path.endsWith('.md'));
  const dead = documentation.flatMap((path) =>
    targets(path)
      .filter((target) => !existsSync(join(ROOT, target)))
      .map((target) => `${path}: ${target}`),
  );
  expect(dead).toEqual([]);
});

test('docs/demo.svg shows the sample of README, and asks nothing of another place', () => {
  const textOf = (path: string) => files.find((file) => file.path === path)?.text ?? '';
  const [sample = ''] =
    /(?<=```console\n)\$ npm ci && npm run demo\n.*?(?=\n```)/s.exec(textOf('README.md')) ?? [];
  const picture = textOf('docs/demo.svg');
  const drawn = [...picture.matchAll(/<text [^>]*>(.*)<\/text>/g)].map(([, line = '']) =>
    line.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&'),
  );
  expect(drawn.length).toBeGreaterThan(20);
  expect(drawn, '`npm run picture` makes both').toEqual(sample.split('\n').filter((line) => line !== ''));
  expect(picture).toContain('<title>');
  expect(picture.replace('xmlns="http://www.w3.org/2000/svg"', '')).not.toMatch(
    /https?:|href|url\(|<script|@import/,
  );
});

/** What starts processes or servers: the files of test/support that need more than their importer's own process. */
const PROCESSES = [
  ...['chromium', 'command', 'kill', 'lnbits-real', 'served', 'sshd', 'systemd', 'terminal', 'world'],
];
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

test('no file that defines a command is longer than 60 lines', () => {
  const commands = files.filter(
    ({ path, text }) => path.startsWith('src/cli/') && /^export function register\(/m.test(text),
  );
  expect(commands.length).toBeGreaterThan(40);
  expect(
    commands.filter(({ text }) => text.split('\n').length > 60).map(({ path }) => path),
    'Move a verb to src/cli/NOUN/VERB.ts, and what decides or computes to operations or views.',
  ).toEqual([]);
});

/** Where the command line performs an operation besides `does`, `asks` and `lists`, and why. It may only shrink. */
const performing: Record<string, string> = {
  'clients/print-statement.ts': 'prints a document as it is',
  'command/call.ts': 'does, asks, lists',
  'config.ts': 'takes the file of --config as its input',
  'doctor.ts': 'prints each check as it ends',
  'export/export-kind.ts': 'prints rows as they come',
  'fundings/enter.ts': 'asks only if the operation needs an answer',
  'init/': 'tests each answer',
  'log.ts': 'prints rows as they come',
  'metrics.ts': 'prints a text as it is',
  'review/show-row.ts': 'adds the commands to its JSON',
  'role-sql.ts': 'prints a text as it is',
  'run.ts': 'is another actor',
  'serve.ts': 'is another actor, and hands over the doors',
};

test('a command shows the answer of one operation: no page or helper performs another', () => {
  const found = files.flatMap(({ path, text }) => {
    const [, name = ''] = /^src\/cli\/(.*)/.exec(path) ?? [];
    return /\.perform\(/.test(text) ? [name.replace(/^init\/.*/, 'init/')] : [];
  });
  expect(
    new Set(found.filter((name) => name !== '')),
    'Put what is shown into the view of the operation, so that both are of one transaction.',
  ).toEqual(new Set(Object.keys(performing)));
});

/** The relative files that a module imports, also lazily. */
function importsOf(text: string): string[] {
  return [...text.matchAll(/(?:\bfrom|\bimport\(|^import) ?'(\.[^']+)'/gm)].map(([, name = '']) => name);
}
