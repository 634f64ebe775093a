import { widthOf } from '../src/cli/terminal/wrap.ts';
import type { Ran } from '../test/support/command.ts';
import type { Invitation } from './sites.ts';

/** The story as it is printed; silent where only the figures are wanted. */
export class Page {
  readonly #shown: boolean;
  #chapters = 0;

  constructor(shown: boolean) {
    this.#shown = shown;
  }

  chapter(title: string): void {
    this.#chapters += 1;
    this.say(`${this.#chapters > 1 ? '\n' : ''}${this.#chapters}. ${title}`);
  }

  say(text: string): void {
    if (this.#shown) process.stdout.write(`${text.split('\n').map(fold).join('\n')}\n`);
  }

  /** A command as one would type it, and what it printed. */
  command(args: string[], printed: string): void {
    this.say(`$ aio-dca ${args.map((arg) => (/\s/.test(arg) ? `"${arg}"` : arg)).join(' ')}`);
    if (printed.trim() !== '') this.say(printed.trimEnd());
  }

  /** Who may come in, and by which link. */
  invite(invitations: Invitation[]): void {
    this.chapter('Look around');
    this.say('Both web sites are open, on this world and to this host alone. Each link lets in once.');
    const linksTo = (site: Invitation['site']) => {
      for (const { name, link } of invitations.filter((one) => one.site === site))
        this.say(`${name}\n${link}`);
    };
    this.say('\nThe admin site, for its owner:');
    linksTo('admin');
    this.say('\nThe client site. carmen, diego and elena began months ago, alice and bob today:');
    linksTo('client');
    this.say('\nCtrl-C ends it, and removes everything.');
  }

  ran(args: string[], { stdout, stderr }: Ran): void {
    this.command(args, stdout + stderr);
  }
}

/** One line as several that fit the page, broken at spaces. Lines of tables fit already. */
function fold(line: string): string {
  const width = widthOf(process.stdout);
  if (line.length <= width) return line;
  const space = line.lastIndexOf(' ', width);
  if (line.slice(0, space).trim() === '') return line;
  return `${line.slice(0, space)}\n${fold(`  ${line.slice(space + 1)}`)}`;
}
