import { BlockList, isIP } from 'node:net';

/** How a connection to a database is protected: the values of `tls` in the configuration. */
export type Tls = 'disable' | 'require' | 'verify-full';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8);
loopback.addAddress('::1', 'ipv6');

/** Whether `host` (a name, an address, or the folder of a Unix socket) is on this machine. */
export function isThisHost(host: string): boolean {
  if (host.startsWith('/')) return true;
  const name = host.toLowerCase().replace(/^\[(.*)\]$/, '$1');
  const version = isIP(name);
  if (version > 0) return loopback.check(name, version === 6 ? 'ipv6' : 'ipv4');
  // RFC 6761, 6.3: names under localhost mean the loopback.
  return /(^|\.)localhost\.?$/.test(name);
}

/** What OpenSSL's and Node's codes mean (https://nodejs.org/api/tls.html, "X509 certificate error codes"). */
const reasons: Record<string, string> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed, and is not the one in ca_file',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate comes from an authority that this host does not know',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate comes from an authority that this host does not know',
  UNABLE_TO_GET_ISSUER_CERT: 'its certificate comes from an authority that this host does not know',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate comes from an authority that this host does not know',
  CERT_UNTRUSTED: 'its certificate comes from an authority that is not trusted',
  CERT_SIGNATURE_FAILURE: 'its certificate was not signed by the authority that it names',
  CERT_HAS_EXPIRED: 'its certificate has expired, or the clock of this host is ahead',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet, or the clock of this host is behind',
  CERT_REVOKED: 'its certificate was revoked',
  CERT_REJECTED: 'its certificate is not for this purpose',
  INVALID_PURPOSE: 'its certificate is not for this purpose',
  INVALID_CA: 'its certificate was signed by one that is no authority',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another host',
  HOSTNAME_MISMATCH: 'its certificate is for another host',
};

/** Why there is no trusted TLS connection, as a clause; undefined for an error of another kind. */
export function tlsReason(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { message } = error;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const known = reasons[code];
  if (known !== undefined)
    return code === 'ERR_TLS_CERT_ALTNAME_INVALID' ? `${known} (${message})` : `${known} (${code})`;
  // The other side closed the connection during the handshake, e.g. because it restarts. Node reports that as a TLS
  // error; pg does, too, when the server has no free connection.
  if (/^E(CONN|PIPE|TIMEDOUT)/.test(code) || /error establishing an SSL connection/.test(message))
    return undefined;
  // OpenSSL's message includes its source file and line.
  if (code.startsWith('ERR_SSL_') || code === 'EPROTO' || code.startsWith('ERR_OSSL_'))
    return `the handshake failed (${/:([^:]+):[^:]*:\d+:/.exec(message)?.[1] ?? code})`;
  if (code.startsWith('ERR_TLS_')) return message;
  if (/certificate|self.signed|altnames|\bSSL\b|\bTLS\b/i.test(message))
    return message.replace(/[\s.]+$/, '');
  return undefined;
}
