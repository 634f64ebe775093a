import type { InvitationView } from '../../views/people.ts';
import type { Cli } from '../terminal/context.ts';
import { formatTime } from '../terminal/figures.ts';

/** A one-time link: as a picture for a phone where somebody looks at a terminal, as a link, and as a code to type. */
export async function invitationPage(
  { name, link, code, expires_at: until }: InvitationView,
  cli: Cli,
): Promise<string> {
  const { timezone } = await cli.config();
  return [
    ...(process.stdout.isTTY ? [await pictureOf(link)] : []),
    `One link for ${name}, which works once, until ${formatTime(until, timezone)}:`,
    `  ${link}`,
    `Or type this code at ${link.replace(/#.*/, '')}:`,
    `  ${code}`,
    `Anyone with the link or the code can sign in as ${name}. It is not shown again.`,
  ].join('\n');
}

/** Loaded here, because every other command does without. */
async function pictureOf(link: string): Promise<string> {
  const { renderUnicodeCompact } = await import('uqr');
  return renderUnicodeCompact(link, { border: 2 });
}
