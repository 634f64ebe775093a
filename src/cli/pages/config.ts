import stringWidth from 'string-width';
import type { ConfigView } from '../../views/config.ts';
import { asWritten, clean } from '../terminal/clean.ts';
import { fold } from '../terminal/table.ts';
import { inCommandWords } from '../terminal/words.ts';
import { fitted, widthOf, wrapped } from '../terminal/wrap.ts';

type SettingView = ConfigView['settings'][number];
type SecretView = ConfigView['secrets'][number];
type Problem = NonNullable<ConfigView['problem']>;

/** The columns of a setting: its key, and where it comes from. A host key beside them fits 80 columns. */
const KEY = 19;
const ORIGIN = 9;

/** A table whose keys are not fixed. */
const CURRENCIES = 'currencies';

/** The columns of a secret: its key, and whether it is set. */
const SECRET_KEY = 27;
const STATE = 10;

/** The settings by the tables of config.toml, then the secrets, and what is wrong last. */
export function configPage(view: ConfigView): string {
  const { settings, secrets, problem, read_up_to_line: readUpTo } = view;
  const tables = Map.groupBy(settings, tableOf);
  return [
    ...fileLines(view),
    ...[...tables].flatMap(([name, rows]) => [
      '',
      ...(name === '' ? [] : [`[${name}]`]),
      ...rows.map((row) => settingLine(row)),
    ]),
    ...(secrets.length === 0 ? [] : ['', 'Secrets:', ...secrets.map((secret) => secretLine(secret))]),
    ...notes(view).flatMap((note) => ['', note]),
    ...(readUpTo === null
      ? []
      : ['', wrapped(`Only lines 1 to ${readUpTo} could be read. What stands below them is unknown.`)]),
    ...(problem === null ? [] : ['', problemText(problem, `${problem.code}: `)]),
  ].join('\n');
}

/** The table of config.toml that a setting is in; one without any key stands for itself. */
function tableOf({ key, value }: SettingView): string {
  return Array.isArray(value) && key === CURRENCIES ? key : key.split('.').slice(0, -1).join('.');
}

function fileLines({ file, chosen_by: by, passed_over: others, user }: ConfigView): string[] {
  const why = {
    option: '--config names it.',
    environment: '$AIO_DCA_CONFIG names it.',
    folder: 'It is in the current folder.',
    system: 'Nothing else is named, and there is no ./config.toml.',
  }[by];
  return [
    beside('Configuration: ', clean(file)),
    wrapped(`${why} Read as user ${user}.`),
    ...others.map((other) => beside('Not used: ', clean(other))),
  ];
}

function settingLine(setting: SettingView): string {
  const { key, value, origin, line, refused } = setting;
  const name = tableOf(setting) === key ? 'none' : (key.split('.').at(-1) ?? key);
  const from = {
    file: line === null ? 'file' : `line ${line}`,
    'ledger.url': 'url',
    default: 'default',
    unset: '',
  }[origin];
  const shown = refused
    ? '(a mistake, see below)'
    : name === 'none'
      ? 'the digits are those of ISO 4217'
      : value === null
        ? 'not set'
        : written(value);
  return beside(`${name.padEnd(KEY - 1)} ${from.padEnd(ORIGIN - 1)} `, clean(shown));
}

/** As config.toml writes it. */
function written(value: NonNullable<SettingView['value']>): string {
  if (Array.isArray(value)) return `[${value.map((one) => written(one)).join(', ')}]`;
  return typeof value === 'string' ? JSON.stringify(value) : `${value}`;
}

function secretLine({ key, state, origin, place, problem }: SecretView): string {
  const from = {
    file: `${place}`,
    credential: `${place} (systemd)`,
    config: `in ${place}`,
    'ledger.url': 'in ledger.url',
    environment: `$${place}`,
  };
  const found =
    origin === null
      ? state === 'missing'
        ? `name its file: ${key.split('.').at(-1)}_file`
        : ''
      : `${clean(from[origin])}${state === 'missing' ? ', which is not there' : ''}`;
  const shown = state === 'unset' ? 'not set' : state;
  const line = beside(`${key.padEnd(SECRET_KEY - 1)} ${shown.padEnd(STATE - 1)} `, found).trimEnd();
  return state === 'unusable' && problem !== null ? `${line}\n${problemText(problem, '  ')}` : line;
}

/**
 * A path that is too long stands below its label, broken after a slash or a hyphen. In a pipe each line stays whole.
 */
function beside(label: string, text: string): string {
  if (!isNarrow()) return `${label}${text}`;
  const width = widthOf(process.stdout);
  const line = wrapped(`${label}${text}`, { indent: ' '.repeat(label.length) });
  if (line.split('\n').every((one) => stringWidth(one) <= width)) return line;
  return [label.trimEnd(), ...fold(text, width - 4).split('\n')].join('\n    ');
}

function problemText({ message, hint }: Problem, label: string): string {
  const said = inCommandWords(message).split('\n').map(clean).join('\n  ');
  const way = hint === null ? '' : `\n  ${asWritten(inCommandWords(hint))}`;
  return withoutWideWords(fitted(`${label}${said}${way}`, '  '));
}

function isNarrow(): boolean {
  return process.stdout.isTTY || process.env.COLUMNS !== undefined;
}

/** What is still wider than the terminal holds a path. */
function withoutWideWords(page: string): string {
  const width = widthOf(process.stdout);
  if (!isNarrow()) return page;
  return page
    .split('\n')
    .map((line) => (stringWidth(line) <= width ? line : fold(line, width - 4).replaceAll('\n', '\n    ')))
    .join('\n');
}

function notes({ user, ledger_file: ledger, ignored_variables: ignored }: ConfigView): string[] {
  const found: string[] = [];
  if (ledger === 'absent') found.push('The ledger is not there yet. `aio-dca migrate` creates it.');
  if (ledger === 'unusable')
    found.push(`User ${user} may not open the ledger. Its owner may: \`ls -l\` on it says who that is.`);
  if (ignored.length > 0)
    found.push(
      `Nothing reads ${ignored.map((name) => `$${clean(name)}`).join(', ')}: from the environment come only secrets, $AIO_DCA_CONFIG and $AIO_DCA_ACTOR.`,
    );
  return found.map((note) => fitted(note, '  '));
}
