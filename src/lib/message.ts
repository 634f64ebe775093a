/*
 * Messages to the operator, without the words of a door. A message names an operation or a field of its input. The door
 * writes these as a command and an option, as a link and a label, or as a method and a parameter.
 */

/** A value of an operation's input, as text; `null` stands for a value that the operator has to choose. */
export type Argument = string | true | null;

/** An operation with its input: the next step, or what a message is about. */
export interface Call {
  operation: string;
  args: Readonly<Record<string, Argument>>;
  /** One of several steps, each on its own line. */
  step?: true;
}

export function isCall(value: unknown): value is Call {
  return typeof value === 'object' && value !== null && 'operation' in value && 'args' in value;
}

/** The name of a field of an operation's input, in snake case: `wallet_key`. */
export interface FieldName {
  field: string;
}

export type Piece = string | Call | FieldName;

/** How a door writes operations and fields. */
export interface Wording {
  call(call: Call): string;
  field(field: FieldName): string;
}

/**
 * A message in pieces. `String(message)` is for logs and other programs: it names operations and fields as they are.
 */
export class Message {
  readonly pieces: readonly Piece[];

  constructor(pieces: readonly Piece[]) {
    this.pieces = pieces;
  }

  /** The operations that it names, in order. */
  get calls(): Call[] {
    return this.pieces.filter((piece): piece is Call => typeof piece === 'object' && 'operation' in piece);
  }

  /** The same message with these values for inputs that are `null`. */
  filled(known: Readonly<Record<string, string>>): Message {
    const value = (name: string, given: Argument) => (given === null ? (known[name] ?? null) : given);
    return new Message(
      this.pieces.map((piece) => {
        if (typeof piece === 'string' || 'field' in piece) return piece;
        const args = Object.entries(piece.args).map(([name, given]) => [name, value(name, given)]);
        return { ...piece, args: Object.fromEntries(args) };
      }),
    );
  }

  in(wording: Wording): string {
    return this.pieces
      .map((piece) => {
        if (typeof piece === 'string') return piece;
        return 'operation' in piece ? wording.call(piece) : wording.field(piece);
      })
      .join('');
  }

  toString(): string {
    return this.in(PLAIN);
  }
}

const PLAIN: Wording = {
  call: ({ operation, args }) => {
    const given = Object.entries(args).map(([name, value]) =>
      value === true ? name : `${name}: ${value ?? '…'}`,
    );
    return given.length === 0 ? operation : `${operation}(${given.join(', ')})`;
  },
  field: ({ field }) => field,
};

/** ``message`Set it by ${call('machines.set', { machine: name })}.` `` */
export function message(
  texts: TemplateStringsArray,
  ...values: (Piece | Message | bigint | number)[]
): Message {
  return new Message(
    texts.flatMap((text, index): Piece[] => {
      const value = values[index];
      const pieces = value === undefined ? [] : value instanceof Message ? value.pieces : [pieceOf(value)];
      return [text, ...pieces];
    }),
  );
}

function pieceOf(value: Piece | bigint | number): Piece {
  return typeof value === 'object' ? value : `${value}`;
}

export function call(operation: string, args: Record<string, Argument | bigint | undefined> = {}): Call {
  const given = Object.entries(args).filter(([, value]) => value !== undefined);
  return {
    operation,
    args: Object.fromEntries(
      given.map(([name, value]) => [name, typeof value === 'bigint' ? `${value}` : value]),
    ) as Call['args'],
  };
}

/** Steps to take, in this order, one per line. */
export function steps(calls: readonly Call[]): Message {
  return new Message(calls.flatMap((one): Piece[] => ['\n  ', { ...one, step: true }]));
}

export function field(name: string): FieldName {
  return { field: name };
}
