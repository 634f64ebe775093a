import { afterEach, describe, expect, test, vi } from 'vitest';
import { printError } from '../../../src/cli/terminal/print-error.ts';
import { BridgeError } from '../../../src/errors.ts';

afterEach(() => vi.restoreAllMocks());

describe('errors', () => {
  const error = new BridgeError('config/missing', 'There is no x.toml\u001b[2J.', 'Make one.');

  test('for the operator on stderr, with the way out', () => {
    const stdout = vi.spyOn(console, 'log').mockReturnValue();
    const stderr = vi.spyOn(console, 'error').mockReturnValue();
    printError(error, false);
    expect(stderr).toHaveBeenCalledWith('config/missing: There is no x.toml.\n  Make one.');
    expect(stdout).not.toHaveBeenCalled();
  });

  test('as one JSON document on stdout', () => {
    const stdout = vi.spyOn(console, 'log').mockReturnValue();
    printError(error, true);
    expect(stdout).toHaveBeenCalledTimes(1);
    expect(JSON.parse(stdout.mock.calls[0]?.[0])).toEqual({
      error: { code: 'config/missing', message: 'There is no x.toml.', hint: 'Make one.' },
    });
  });

  test('a defect shows its stack trace', () => {
    const stderr = vi.spyOn(console, 'error').mockReturnValue();
    const defect = new TypeError('x is undefined');
    printError(defect, false);
    expect(stderr).toHaveBeenCalledWith(defect.stack);
    expect(stderr.mock.calls.at(-1)?.[0]).toContain('internal/defect: x is undefined');
  });
});
