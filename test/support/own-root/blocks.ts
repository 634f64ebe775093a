import { readFileSync } from 'node:fs';

/** A page of the documentation, or the part of it between two texts. */
export interface Page {
  path: string;
  from?: string;
  to?: string;
}

/**
 * The commands of a page: of each fenced block without a language, the lines that are typed. A line that ends with a
 * backslash or a pipe, or within quotes, goes on in the next.
 */
export function commandsOf({ path, from, to }: Page): string[] {
  const text = readFileSync(path, 'utf8');
  const begin = from === undefined ? 0 : text.indexOf(from);
  const end = to === undefined ? text.length : text.indexOf(to, begin);
  if (begin < 0 || end < 0) throw new Error(`${path} has no ${from} … ${to}`);
  const blocks = text.slice(begin, end).matchAll(/^( *)```\n([\s\S]*?)^ *```$/gm);
  return [...blocks].flatMap(([, indent = '', block = '']) =>
    joined(
      block
        .trimEnd()
        .split('\n')
        .map((line) => line.slice(indent.length)),
    ),
  );
}

function joined(lines: string[]): string[] {
  const commands: string[] = [];
  let open = false;
  for (const line of lines) {
    if (open) commands.push(`${commands.pop()}\n${line}`);
    else commands.push(line);
    const whole = commands.at(-1) ?? '';
    open = line.endsWith('\\') || line.endsWith('|') || (whole.match(/'/g) ?? []).length % 2 === 1;
  }
  return commands;
}
