import type { Command, Option } from 'commander';
import type { BridgeError } from '../../errors.ts';
import type { Argument, Call, Message, Wording } from '../../lib/message.ts';

/*
 * How the command line writes operations and fields: `fundings.confirm` of `f1` is `aio-dca fundings confirm f1`, the
 * field `commission_rate` is `--commission-rate`, or `COMMISSION_RATE` where it is an argument of the command at hand.
 */

/**
 * Per operation: its command where the name differs, the inputs that are arguments, in order, and the inputs whose
 * option has another name.
 */
const commands: Record<string, { command?: string; operands?: string[]; names?: Record<string, string> }> = {
  'backup.make': { command: 'backup', operands: ['file'] },
  'cash_outs.show': { operands: ['id'] },
  'clients.add': { operands: ['name'] },
  'clients.close': { operands: ['name'] },
  'clients.invite': { operands: ['name'] },
  'clients.pause': { operands: ['name'] },
  'clients.resume': { operands: ['name'] },
  'clients.set': { operands: ['name'] },
  'clients.show': { operands: ['name'] },
  'clients.statement': { operands: ['name'] },
  'clock.restate': { operands: ['subject'] },
  'commission.add': { operands: ['name'] },
  'commission.remove': { operands: ['name'] },
  'commission.set': { operands: ['name'] },
  'credits.resolve': { operands: ['id'] },
  'credits.show': { operands: ['id'] },
  'export.make': { command: 'export', operands: ['kind'] },
  'fundings.add': { operands: ['client', 'amount'] },
  'fundings.adjust': { operands: ['id', 'amount'] },
  'fundings.cancel': { operands: ['id'] },
  'fundings.confirm': { operands: ['id'] },
  'fundings.move': { operands: ['id'] },
  'fundings.show': { operands: ['id'] },
  'fundings.withdraw': { operands: ['id', 'amount'] },
  'init.create': { command: 'init' },
  'log.list': { command: 'log' },
  'machines.replace': { operands: ['old', 'new'] },
  'machines.set': { operands: ['machine'] },
  'machines.show': { operands: ['machine'] },
  'metrics.show': { command: 'metrics' },
  'payouts.hold': { operands: ['id'] },
  'payouts.hold_all': { command: 'payouts hold --all' },
  'payouts.overpaid': { operands: ['id'] },
  'payouts.release': { operands: ['id'] },
  'payouts.release_all': { command: 'payouts release --all' },
  'payouts.resolve': { operands: ['id'] },
  'payouts.retry': { operands: ['id'] },
  'payouts.show': { operands: ['id'] },
  'people.add': { operands: ['name'] },
  'people.disable': { operands: ['name'] },
  'people.enable': { operands: ['name'] },
  'people.invite': { operands: ['name'] },
  'people.set': { operands: ['name'] },
  'purchases.show': { operands: ['id'] },
  'review.dismiss': { operands: ['id'] },
  'review.release': { operands: ['id'] },
  'review.show': { operands: ['id'] },
  'settlements.external': { command: 'settle' },
  'settlements.settle': { command: 'settle', operands: ['id'] },
  'settlements.void': { command: 'settle', names: { id: 'void' } },
  'tokens.add': { operands: ['name'] },
  'tokens.revoke': { operands: ['name'] },
};

/** Inputs whose option has another name in every command. */
const options: Record<string, string> = {
  former_wallet_key: 'former-wallet-key-file',
  reference: 'external',
  to_password: 'to-password-file',
  wallet_key: 'wallet-key-file',
};

/** The placeholder of a value that the operator has to choose; otherwise the option's name in capitals. */
const placeholders: Record<string, string> = {
  amount: '"AMOUNT"',
  at: '"…"',
  former_wallet_key: 'FILE',
  from: 'TIME',
  max_rate: 'RATE',
  min_rate: 'RATE',
  payment: 'HASH',
  reason: '"…"',
  reference: 'REF',
  wallet_key: 'FILE',
  weight: 'N',
};

/** The command of an operation, as it is typed. */
export function commandOf({ operation, args }: Call): string {
  const {
    command = operation.replaceAll('.', ' ').replaceAll('_', '-'),
    operands = [],
    names = {},
  } = commands[operation] ?? {};
  const words = operands.filter((name) => name in args).map((name) => typed(name, args[name] ?? null));
  for (const [name, value] of Object.entries(args)) {
    if (operands.includes(name)) continue;
    const option = optionOf(names[name] ?? name);
    words.push(value === true ? option : `${option} ${typed(name, value)}`);
  }
  return ['aio-dca', command, ...words].join(' ');
}

function optionOf(name: string): string {
  return `--${(options[name] ?? name).replaceAll('_', '-')}`;
}

/** The input that an option stands for: `daily-limit` is `daily_limit`. */
export function fieldOf(option: string): string {
  const [field] = Object.entries(options).find(([, name]) => name === option) ?? [];
  return field ?? option.replaceAll('-', '_');
}

function typed(name: string, value: Argument): string {
  if (value === null || value === true) return placeholders[name] ?? name.toUpperCase();
  return /^[\p{L}\p{N}_.:/@+…-]+$/u.test(value) ? value : JSON.stringify(value);
}

let atHand: Command | undefined;

/** The command that is running: errors name its arguments and options. */
export function setCommand(command: Command): void {
  atHand = command;
}

function labelOf(field: string): string {
  const name = field.replaceAll('_', '-');
  const operand = atHand?.registeredArguments.find((one) => one.name() === name);
  const inUse: Option[] = [];
  for (let command = atHand ?? null; command; command = command.parent) inUse.push(...command.options);
  if (operand) return name === 'amount' ? name : name.toUpperCase();
  const option = optionOf(field);
  return inUse.some(({ long, negate }) => long === option || (negate && long === `--no-${name}`))
    ? option
    : field;
}

const wording: Wording = {
  // Within a sentence a command stands in backticks; on its own line it is copied whole.
  call: (call) => (call.step ? commandOf(call) : `\`${commandOf(call)}\``),
  field: ({ field }) => labelOf(field),
};

export function inCommandWords(text: string | Message): string {
  return typeof text === 'string' ? text : text.in(wording);
}

/** The error's message with the field it concerns, and the way out. */
export function errorInWords(error: BridgeError): { message: string; hint: string | null } {
  const text = inCommandWords(error.text);
  return {
    message: error.field === undefined ? text : `${labelOf(error.field)}: ${text}`,
    hint: error.hint === undefined ? null : inCommandWords(error.hint),
  };
}
