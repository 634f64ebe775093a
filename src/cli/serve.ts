import type { Command } from 'commander';
import { define } from './command/options.ts';
import { makeCli } from './terminal/context.ts';

export function register(program: Command): void {
  define(program, 'serve', 'the web sites and the API, until SIGTERM or SIGINT')
    .addHelpText(
      'after',
      '\nServes the client site at [web.client] listen and the admin site with the API at [web.admin] listen. It pays ' +
        'nothing by itself: that is `aio-dca run` or the timer. It needs neither the key of the source wallet nor the ' +
        'SSH key; what needs them is then missing there. Restart it after a change of the configuration.' +
        '\n\nExample:\n  aio-dca serve',
    )
    .action(async (_options: object, command: Command) => {
      const cli = makeCli(command);
      const { keepServing } = await import('../operations/serve.ts');
      const { startSites } = await import('../web/start-sites.ts');
      await cli.perform(keepServing, {}, { doors: [startSites], actor: cli.globals.actor ?? 'serve' });
    });
}
