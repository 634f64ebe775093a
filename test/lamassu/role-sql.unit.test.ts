import { expect, test } from 'vitest';
import { Secret } from '../../src/config/secret.ts';
import { authorizedKeysLine, roleSql } from '../../src/lamassu/role-sql.ts';
import { scramVerifier } from '../../src/lamassu/scram.ts';

const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExample aio-dca@bridge';

test('the key line opens one tunnel and nothing else', () => {
  const options = 'command="/bin/false",restrict,port-forwarding,permitopen=';
  expect(authorizedKeysLine(`${KEY}\n`, '127.0.0.1', 5432)).toBe(`${options}"127.0.0.1:5432" ${KEY}`);
  expect(authorizedKeysLine(KEY, '::1', 5432)).toBe(`${options}"[::1]:5432" ${KEY}`);
});

test.each(['', 'AAAA', '-----BEGIN OPENSSH PRIVATE KEY-----', `${KEY}\n${KEY}`, `command="sh" ${KEY}`])(
  'what is no public key on one line is refused: %j',
  (text) => {
    expect(() => authorizedKeysLine(text, '127.0.0.1', 5432)).toThrow(
      expect.objectContaining({ code: 'usage/invalid' }),
    );
  },
);

test('the script asks for the password instead of holding one, and grants no personal data', () => {
  const sql = roleSql({ user: 'aio_dca', database: 'lamassu' });
  expect(sql).toMatch(/^\\password "aio_dca"$/m);
  expect(sql).not.toMatch(/phone|email|photo|customer_id|to_address|id_card/);
});

test('a password is kept as in the example of RFC 7677', () => {
  const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64');
  expect(scramVerifier(new Secret('pencil'), salt)).toBe(
    'SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=',
  );
});
