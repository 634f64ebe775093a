import { type Command, Option } from 'commander';
import { ROLE_NAMES } from '../views/roles.ts';
import { does, local } from './command/call.ts';
import { define, reasonOption } from './command/options.ts';
import { invitationPage } from './pages/invitation.ts';
import { disabledPersonPage, enabledPersonPage, peoplePage, personSetPage } from './pages/person.ts';

const operations = () => import('../operations/people.ts');

export function register(program: Command): void {
  const people = define(program, 'people', 'who may use the admin site of `aio-dca serve`, each with a role');
  withRole(
    named(
      people,
      'add',
      'add somebody: prints a one-time link, valid for 24 hours',
      'people add dora --role owner',
      'people add rosa --role bookkeeper',
    ),
  ).action(does(operations, 'addOnePerson', invitationPage));
  define(people, 'list', 'everybody, with role, ways to sign in and last use', 'people list').action(
    does(operations, 'listPeople', local(peoplePage)),
  );
  withRole(named(people, 'set', 'give another role; ends the sessions', 'people set dora --role operator'))
    .option('--reason <text>', 'why, for the log')
    .action(does(operations, 'setPersonRole', personSetPage));
  reasonOption(
    named(people, 'disable', 'shut out; ends the sessions and links at once', 'people disable dora'),
  ).action(does(operations, 'disableOnePerson', disabledPersonPage));
  reasonOption(named(people, 'enable', 'let in again', 'people enable dora')).action(
    does(operations, 'enableOnePerson', enabledPersonPage),
  );
  named(
    people,
    'invite',
    'a new one-time link: for another device, or after a loss',
    'people invite dora',
  ).action(does(operations, 'invitePerson', invitationPage));
}

function named(people: Command, verb: string, description: string, ...examples: string[]): Command {
  return define(people, verb, description, ...examples).argument('<name>');
}

function withRole(command: Command): Command {
  return command.addOption(
    new Option('--role <role>', 'docs/web.md has what each may').choices(ROLE_NAMES).makeOptionMandatory(),
  );
}
