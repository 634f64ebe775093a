import { expect, test } from 'vitest';
import { roleFor } from '../../src/cli/init-page.ts';
import { EVERYBODY_CREATES } from '../../src/lamassu/too-much.ts';

test('another role is named where this one may change something, but not for what every role may', () => {
  expect(roleFor('aio_dca', [EVERYBODY_CREATES])).toBe('aio_dca');
  expect(roleFor('aio_dca', [EVERYBODY_CREATES, 'writes devices'])).toBe('aio_dca_reader');
});
