import { BridgeError } from '../errors.ts';
import type { Config } from './config.ts';
import type { Secret } from './secret.ts';

/** The superuser who credits the source wallet. Throws `config/secret` if the password is not given. */
export function superuserOf({ superuser, superuserPassword }: Config['lnbits']): {
  name: string;
  password: Secret;
} {
  if (superuser !== undefined && superuserPassword) return { name: superuser, password: superuserPassword };
  throw new BridgeError(
    'config/secret',
    'lnbits.superuser_password is not given, and credit_source needs it.',
    'Put it into a file of its own and set superuser_password_file, or set the environment variable AIO_DCA_LNBITS_SUPERUSER_PASSWORD.',
  );
}
