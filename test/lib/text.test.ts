import { expect, test } from 'vitest';
import { decodeText, oneLine } from '../../src/lib/text.ts';

test('UTF-16 is distinguished from UTF-8, with and without a byte order mark', () => {
  const text = 'timezone = "UTC"\n';
  const little = Buffer.from(text, 'utf16le');
  expect(decodeText(Buffer.concat([Buffer.from([0xff, 0xfe]), little]))).toBeUndefined();
  expect(decodeText(Buffer.concat([Buffer.from([0xfe, 0xff]), little.swap16()]))).toBeUndefined();
  expect(decodeText(Buffer.from(text, 'utf16le'))).toBeUndefined();
  expect(decodeText(Buffer.from(`\uFEFF${text}`))).toBe(text);
  expect(decodeText(Buffer.from('contraseña'))).toBe('contraseña');
});

test('only one line break at the end of a secret is ignored', () => {
  for (const text of ['s3cret', 's3cret\n', 's3cret\r\n']) expect(oneLine(text)).toBe('s3cret');
  expect(oneLine('correct horse\n')).toBe('correct horse');
  for (const text of ['s3cret\n\n', 's3cret \n', ' s3cret', 's3cret\t', 's3\ncret', 's3cret\u00a0'])
    expect(oneLine(text)).toBeUndefined();
});
