import { readFileSync } from 'node:fs';

/** A fenced block of a page. */
export interface Block {
  /** The heading that it stands under. */
  section: string;
  line: number;
  /** `sh`: each line is typed. `console`: what follows `$ ` is typed, the rest was printed. Others have no commands. */
  language: string;
  lines: string[];
  /** Why no test types it, from a comment before it: `<!-- not typed: … -->`. */
  notTyped: string | undefined;
}

/** A page, or some of its sections. */
export interface Page {
  path: string;
  sections?: string[];
}

export interface TypedLine {
  command: string;
  /** What the page shows that it prints. */
  shown: string[];
}

export function blocksOf(path: string): Block[] {
  const blocks: Block[] = [];
  let section = '';
  let before = '';
  let open: { block: Block; indent: number } | undefined;
  for (const [index, line] of readFileSync(path, 'utf8').split('\n').entries()) {
    const fence = /^( *)```(\w*)$/.exec(line);
    if (fence && open) open = undefined;
    else if (open) open.block.lines.push(line.slice(open.indent));
    else if (fence) {
      const [, indent = '', language = ''] = fence;
      const notTyped = /^ *<!-- not typed: (.+) -->$/.exec(before)?.[1];
      const block = { section, line: index + 1, language, lines: [], notTyped };
      open = { block, indent: indent.length };
      blocks.push(block);
    } else section = /^#+ (.*)$/.exec(line)?.[1] ?? section;
    if (line.trim() !== '') before = line;
  }
  return blocks;
}

/** The blocks of a page whose commands are typed. */
export function typedBlocks({ path, sections }: Page): Block[] {
  const all = blocksOf(path);
  for (const name of sections ?? [])
    if (!all.some(({ section }) => section === name)) throw new Error(`${path} has no block under ${name}`);
  return all.filter(({ section, notTyped }) => !notTyped && (sections?.includes(section) ?? true));
}

/** The commands of a block. A line that ends with a backslash, a pipe or &&, or within quotes or a loop, goes on. */
export function commandsOf({ language, lines }: Block): TypedLine[] {
  if (language !== 'sh' && language !== 'console') return [];
  const typed: TypedLine[] = [];
  let open = false;
  for (const line of lines) {
    const last = typed.at(-1);
    if (open && last) last.command += `\n${line}`;
    else if (language === 'sh' && !/^(#|$)/.test(line)) typed.push({ command: line, shown: [] });
    else if (line.startsWith('$ ')) typed.push({ command: line.slice(2), shown: [] });
    else {
      last?.shown.push(line);
      continue;
    }
    open = goesOn(typed.at(-1)?.command ?? '');
  }
  return typed;
}

function goesOn(command: string): boolean {
  const count = (pattern: RegExp) => (command.match(pattern) ?? []).length;
  // A quote within the other quotes is text.
  const bare = command.replaceAll(/"[^"]*"|'[^']*'/g, '');
  return /(\\|\||&&)$/.test(command) || /["']/.test(bare) || count(/\bdo$/gm) > count(/^done\b/gm);
}
