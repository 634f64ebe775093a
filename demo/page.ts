import { widthOf } from '../src/cli/terminal/wrap.ts';
import type { Ran } from '../test/support/command.ts';

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

  ran(args: string[], { stdout, stderr }: Ran): void {
    this.command(args, stdout + stderr);
  }
}

/** One line as several that fit the page, broken at spaces. Lines of tables fit already. */
function fold(line: string): string {
  const width = widthOf(process.stdout);
  if (line.length <= width) return line;
  const space = line.lastIndexOf(' ', width);
  if (space < 1) return line;
  return `${line.slice(0, space)}\n${fold(`  ${line.slice(space + 1)}`)}`;
}
