import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { expect, onTestFinished, test } from 'vitest';
import { makeProgram } from '../src/cli/program.ts';
import { type Block, blocksOf, commandsOf, typedBlocks } from './support/own-root/blocks.ts';
import { DOCUMENTATION, HOME, README, TYPED } from './support/own-root/pages.ts';

/* The commands of the documentation, all of them: each is typed by a test, or its page says why not. */

const at = (path: string, { line }: Block) => `${path.slice(HOME.length)}:${line}`;

test('each command of README and docs/ is typed by a test, or a comment says why not', () => {
  const typed = new Set(TYPED.flatMap((page) => typedBlocks(page).map((block) => at(page.path, block))));
  const missing = DOCUMENTATION.flatMap((path) =>
    blocksOf(path)
      .filter((block) => commandsOf(block).length > 0 && !block.notTyped && !typed.has(at(path, block)))
      .map((block) => at(path, block)),
  );
  expect(missing, 'Add it to DRILLS in test/support/own-root/drills.ts').toEqual([]);
  expect(typed.size).toBeGreaterThan(40);
  const whys = DOCUMENTATION.flatMap((path) => blocksOf(path).flatMap(({ notTyped }) => notTyped ?? []));
  const gone = whys
    .flatMap((why) => why.match(/\btest\/[\w./-]+\w/g) ?? [])
    .filter((path) => !existsSync(join(HOME, path)));
  expect(gone).toEqual([]);
});

test('README leads to a running service in the ten commands that it promises', () => {
  expect(readFileSync(README.path, 'utf8')).toContain('these ten commands');
  expect(typedBlocks(README).flatMap(commandsOf)).toHaveLength(10);
});

test('a block says what it is; commands stand in no other one', () => {
  const known = ['', 'sh', 'console', 'toml', 'ini', 'json', 'text', 'crontab'];
  const command = /^ *(\$ |sudo |aio-dca |npm |npx |curl |ssh |git |systemctl |for \w+ in )/;
  const wrong = DOCUMENTATION.flatMap((path) =>
    blocksOf(path)
      .filter(
        ({ language, lines }) =>
          !known.includes(language) ||
          (['', 'text'].includes(language) && lines.some((line) => command.test(line))),
      )
      .map((block) => at(path, block)),
  );
  expect(wrong).toEqual([]);
});

test('a command of the bridge is typed as the user who runs it', () => {
  const wrong = DOCUMENTATION.flatMap((path) =>
    blocksOf(path).flatMap((block) =>
      commandsOf(block)
        .filter(({ command }) => /(^|[|;&] *)aio-dca (?!--version)/m.test(command))
        .filter(() => basename(path) !== 'README.md' || !block.notTyped)
        .map(({ command }) => `${at(path, block)}: ${command}`),
    ),
  );
  expect(wrong).toEqual([]);
});

test('the units, drop-ins and other files of the package are named where the package is', () => {
  const wrong = DOCUMENTATION.flatMap((path) =>
    blocksOf(path).flatMap((block) =>
      commandsOf(block)
        .filter(({ command }) => /(?<!aio-dca-bridge\/)contrib\//.test(command))
        .map(({ command }) => `${at(path, block)}: ${command}`),
    ),
  );
  expect(wrong).toEqual([]);
});

test('a command may go on in the next lines', () => {
  const folder = mkdtempSync(join(tmpdir(), 'aio-dca-docs-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'page.md');
  const text = [
    ...['# One', '```sh', 'a \\', '  b', "c 'd", "  e' |", '  f', 'for x in 1; do', '  g', 'done', '```'],
    ...['## Two', '', '  ```console', '  $ h "it\'s', '  i"', '  printed', '  $ j', '  ```'],
    ...['<!-- not typed: it is long -->', '', '```sh', 'k', '```', '```text', 'l', '```'],
  ];
  writeFileSync(path, text.join('\n'));
  const blocks = blocksOf(path);
  expect(blocks.map(({ section, notTyped }) => [section, notTyped])).toEqual([
    ['One', undefined],
    ['Two', undefined],
    ['Two', 'it is long'],
    ['Two', undefined],
  ]);
  expect(blocks.map((block) => commandsOf(block).map(({ command }) => command))).toEqual([
    ['a \\\n  b', "c 'd\n  e' |\n  f", 'for x in 1; do\n  g\ndone'],
    ['h "it\'s\ni"', 'j'],
    ['k'],
    [],
  ]);
  expect(commandsOf(blocks[1] as Block)[0]?.shown).toEqual(['printed']);
  expect(typedBlocks({ path, sections: ['Two'] })).toHaveLength(2);
  expect(() => typedBlocks({ path, sections: ['Three'] })).toThrow('no block under Three');
});

test('commands within the text have the words and options of the program', async () => {
  const program = await makeProgram([], { out: '', err: '' });
  const named = (command: Command, word: string | undefined) =>
    command.commands.find((one) => one.name() === word || one.aliases().includes(word ?? ''));
  const options = (command: Command | null): string[] =>
    command ? [...command.options.map(({ long }) => long ?? ''), '--help', ...options(command.parent)] : [];
  /** What a command has that the program does not; undefined for what is no command. */
  const unknown = (text: string): string | undefined => {
    const [first = '', ...rest] = text
      .replace(/^(sudo (-u aio-dca )?)?aio-dca /, '')
      .replace(/^--config \S+ /, '')
      .replace(/ [|<>#].*$/, '')
      .split(/ +/);
    let command = named(program, first);
    if (command === undefined) return text.includes('aio-dca ') && /^[a-z]/.test(first) ? first : undefined;
    if (rest.length === 0) return undefined;
    if (command.commands.length > 0) {
      command = named(command, rest[0]);
      if (command === undefined) return /^[a-z]+(-[a-z]+)*$/.test(rest[0] ?? '') ? rest[0] : undefined;
    }
    const known = options(command);
    return rest.find((word) => word.startsWith('--') && !known.includes(word.replace(/[,;|].*$/, '')));
  };
  expect(unknown('aio-dca fundings ad alice')).toBe('ad');
  expect(unknown('sudo -u aio-dca aio-dca poll --dry --json')).toBe('--dry');
  expect(unknown('aio-dca pol')).toBe('pol');
  const wrong = DOCUMENTATION.flatMap((path) =>
    [
      ...readFileSync(path, 'utf8')
        .replaceAll(/^ *```[\s\S]*?^ *```$/gm, '')
        .matchAll(/`([^`]+)`/g),
    ]
      .map(([, text = '']) => text.replaceAll(/\s+/g, ' '))
      .filter((text) => unknown(text) !== undefined)
      .map((text) => `${path.slice(HOME.length)}: ${text}`),
  );
  expect(wrong).toEqual([]);
});

test('links lead to headings that are there', () => {
  const anchors = (path: string) =>
    new Set(
      readFileSync(path, 'utf8')
        .split('\n')
        .flatMap((line) => /^#+ (.*)$/.exec(line)?.[1] ?? [])
        // As GitHub makes them.
        .map((heading) =>
          heading
            .toLowerCase()
            .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
            .replaceAll(' ', '-'),
        ),
    );
  const dead = DOCUMENTATION.flatMap((path) =>
    [...readFileSync(path, 'utf8').matchAll(/\]\((?!https?:)([^)#]*)#([^)]+)\)/g)]
      .filter(([, page = '', anchor = '']) => {
        const target = page === '' ? path : fileURLToPath(new URL(page, `file://${path}`));
        return target.endsWith('.md') && !anchors(target).has(anchor);
      })
      .map(([link]) => `${path.slice(HOME.length)}: ${link}`),
  );
  expect(dead).toEqual([]);
});
