import { expect, test } from 'vitest';
import { clockCheck } from '../../src/doctor/clock.ts';

const NOON = Date.UTC(2026, 10, 20, 12);
const MINUTE = 60_000;

test('a minute of difference is fine, more is worth a look, more than five a failure', () => {
  const at = (ms: number) => clockCheck('clock', NOON + ms, { before: NOON, after: NOON });
  expect(at(0)).toMatchObject({ level: 'ok', kind: null });
  expect(at(MINUTE)).toMatchObject({ level: 'ok' });
  expect(at(MINUTE + 1)).toMatchObject({ level: 'warn', kind: null });
  expect(at(-5 * MINUTE)).toMatchObject({ level: 'warn' });
  expect(at(5 * MINUTE + 1)).toMatchObject({ level: 'fail', kind: 'attention' });
  expect(at(-6 * MINUTE)).toMatchObject({ level: 'fail', detail: expect.stringContaining('6 min behind') });
  expect(at(7 * MINUTE).detail).toContain('7 min ahead');
});

test('a slow answer is no difference', () => {
  const during = { before: NOON, after: NOON + 10 * MINUTE };
  expect(clockCheck('clock', NOON + 9 * MINUTE, during).level).toBe('ok');
  expect(clockCheck('clock', NOON + 12 * MINUTE, during).level).toBe('warn');
});
