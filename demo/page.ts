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
    if (this.#shown) process.stdout.write(`${text}\n`);
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
