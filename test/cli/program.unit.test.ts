import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { expect, test } from 'vitest';
import { makeProgram } from '../../src/cli/program.ts';
import { wrappedHelp } from '../../src/cli/terminal/wrap.ts';

/* The help of every command: what it shows, and that its examples are commands of this program. */

interface Page {
  name: string;
  text: string;
  command: Command;
}

async function everyPage(): Promise<Page[]> {
  const program = await makeProgram([], { out: '', err: '' });
  return pagesOf(program, '');
}

function pagesOf(command: Command, before: string): Page[] {
  const name = `${before}${command.name()}`;
  return [
    { name, text: helpOf(command), command },
    ...command.commands.flatMap((one) => pagesOf(one, `${name} `)),
  ];
}

function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({
    writeOut: (piece) => {
      text += piece;
    },
    getOutHelpWidth: () => 1000,
  });
  command.outputHelp();
  return text;
}

/** The commands under `Example:` and `Examples:`, each on one line. */
function examplesOf(text: string): string[] {
  const [, below = ''] = text.split(/\nExamples?:\n/);
  return below
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.includes('aio-dca '));
}

/** The arguments as a shell hands them to `aio-dca`, without a redirection and a pipe. */
function argumentsOf(example: string): string[] {
  const words = [...example.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '');
  const program = words.lastIndexOf('aio-dca');
  const end = words.findIndex((word, index) => index > program && /^(>|\||\d?>.*)$/.test(word));
  return words.slice(program + 1, end < 0 ? undefined : end);
}

/** Which command the arguments name. Throws what the parser says of them. */
async function parsed(argv: string[]): Promise<string> {
  const program = await makeProgram(argv, { out: '', err: '' });
  let named = '';
  const quiet = (command: Command) => {
    command.exitOverride().configureOutput({ writeErr: () => undefined, writeOut: () => undefined });
    command.commands.forEach(quiet);
    if (command.commands.length === 0)
      command.action((...all) => {
        for (let one: Command | null = all.at(-1) as Command; one; one = one.parent)
          named = `${one.name()} ${named}`.trim();
      });
  };
  quiet(program);
  await program.parseAsync(argv, { from: 'user' }).catch((error: { code?: string }) => {
    // `--help` of a command that exists.
    if (error.code !== 'commander.helpDisplayed') throw error;
    named = 'aio-dca';
  });
  return named;
}

test('every command has an example, and every example is a command as the help defines it', async () => {
  const pages = await everyPage();
  expect(pages.length).toBeGreaterThan(60);
  const without: string[] = [];
  for (const { name, text, command } of pages) {
    const examples = examplesOf(text);
    if (examples.length === 0 && command.commands.length === 0) without.push(name);
    for (const example of examples) {
      // The alias shows the examples of its original.
      const meant = name.replace(' deposits', ' fundings');
      const found = await parsed(argumentsOf(example)).catch((error: Error) => `${error.message}`);
      expect([example, found.startsWith(meant) || found]).toEqual([example, true]);
    }
  }
  expect(without).toEqual([]);
});

test('an example that the parser refuses is found', async () => {
  expect(await parsed(argumentsOf('sudo -u aio-dca aio-dca clients show alice > page.txt'))).toBe(
    'aio-dca clients show',
  );
  await expect(parsed(['clients', 'show'])).rejects.toThrow('missing required argument');
  await expect(parsed(['clients', 'show', 'alice', '--no-such'])).rejects.toThrow('unknown option');
});

test('the help of each command has the global options, no empty default, and no line broken by hand', async () => {
  for (const { name, text } of await everyPage()) {
    expect([name, text.includes('--config <file>'), text.includes('--yes')]).toEqual([name, true, true]);
    expect([name, /\(default: (\[\]|""|false|undefined)\)/.test(text)]).toEqual([name, false]);
    const [, ...prose] = text.split(/\n\n(?=\S)/).filter((part) => !/^\S.*:\n {2}/.test(part));
    const broken = prose.flatMap((part) => part.split('\n').slice(1)).filter((line) => /^[a-z/(]/.test(line));
    expect([name, broken]).toEqual([name, []]);
  }
});

test('an option shows what can be chosen and its default once, without quotes', async () => {
  const texts = (await everyPage()).map(({ text }) => text).join('\n');
  expect(texts).toContain('html is one page to print (one of text, csv, html; default: text)');
  expect(texts).toContain('English or Spanish (one of en, es; default: en)');
  expect(texts).not.toMatch(/\(default: [^\n]*\(default: |\(default: "/);
});

test('on 80 columns an example that is longer goes on after a backslash, and never between option and value', async () => {
  const shown = (await everyPage()).map(({ text }) =>
    wrappedHelp(
      examplesOf(text)
        .map((one) => `  ${one}`)
        .join('\n'),
    ),
  );
  const lines = shown.flatMap((text) => text.split('\n'));
  expect(lines.some((line) => line.endsWith(' \\'))).toBe(true);
  for (const [index, line] of lines.entries()) {
    const goesOn = lines[index - 1]?.endsWith(' \\');
    expect([line, goesOn || /^ *(sudo .*)?aio-dca |^ *(psql|sudo) |^$/.test(line)]).toEqual([line, true]);
    expect(line).not.toMatch(/ --(at|reason|machine|fiat|gross|lnbits-url) \\$/);
  }
});

test('the help of the program has its commands in groups, in the order in which they are needed', async () => {
  const [page] = await everyPage();
  const groups = [...(page?.text ?? '').matchAll(/^(\S.*):$/gm)].map(([, title]) => title);
  expect(groups).toEqual([
    ...['Options', 'Set up', 'Every day', 'Clients, cash and commission', 'Web sites and API'],
    ...['Trouble', 'Books', 'Commands', 'Examples'],
  ]);
  // docs/README.md lists its pages under the same headings.
  const docs = readFileSync(new URL('../../docs/README.md', import.meta.url), 'utf8');
  const headings = [...docs.matchAll(/^## (.*)$/gm)].map(([, title]) => title);
  expect(headings).toEqual([...groups.slice(1, -2), 'Developers']);
});
