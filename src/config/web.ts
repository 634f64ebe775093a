import { BlockList, isIP } from 'node:net';
import { isThisHost } from '../lib/tls.ts';

/* `[web]`: the two sites, where they listen, and how the world outside calls them. */

/** One of the two sites. */
export interface SiteConfig {
  /** An address of this host, without brackets. */
  host: string;
  port: number;
  /** The origin in every link, and the only one that may change something: `https://dca.example.org`. */
  publicUrl: string;
}

export interface WebConfig {
  /** Undefined: there is no such site. */
  client: SiteConfig | undefined;
  admin: SiteConfig | undefined;
  /** Addresses and networks of proxies whose `X-Forwarded-For` is believed. */
  trustedProxies: BlockList;
  /** Pages may go over http to other hosts, and say so. */
  insecureHttp: boolean;
}

/** The tables of config.toml. */
interface WebTables {
  client?: SiteTable | undefined;
  admin?: SiteTable | undefined;
  trusted_proxies: string[];
  insecure_http: boolean;
}

interface SiteTable {
  listen: string;
  public_url?: string | undefined;
}

const SITES = ['client', 'admin'] as const;

/** An address, or a network: `10.0.0.0/8`. */
export function isNetwork(text: string): boolean {
  const [address = '', bits, more] = text.split('/');
  const version = isIP(address);
  if (version === 0 || more !== undefined) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128));
}

/** An origin by http or https, in its normal form; undefined for any other text, and for a URL with a path. */
export function readOrigin(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const { protocol, origin, href } = new URL(text);
  return /^https?:$/.test(protocol) && href === `${origin}/` ? origin : undefined;
}

/** `mistake` gets each mistake with its key. */
export function buildWeb(file: WebTables, mistake: (key: string, what: string) => void): WebConfig {
  const site = (name: (typeof SITES)[number]): SiteConfig | undefined => {
    const given = file[name];
    if (given === undefined) return undefined;
    const separator = given.listen.lastIndexOf(':');
    const host = given.listen.slice(0, separator).replace(/^\[|\]$/g, '');
    const port = Number(given.listen.slice(separator + 1));
    const here = isThisHost(host);
    const publicUrl = given.public_url ?? `http://localhost:${port}`;
    if (port > 65_535) mistake(`web.${name}.listen`, 'expected a port up to 65535');
    if (given.public_url === undefined && !here) {
      mistake(
        `web.${name}.public_url`,
        'missing: other hosts reach this listener, and links need its address',
      );
    } else if (!here && !isProtected(publicUrl) && !file.insecure_http) {
      mistake(
        `web.${name}.public_url`,
        'http:// to other hosts shows passwords and sessions to everybody on the way: use https:// behind a proxy, listen on 127.0.0.1, or set web.insecure_http = true if that is meant',
      );
    }
    return { host, port, publicUrl };
  };
  const [client, admin] = SITES.map(site);
  if (client && admin && new URL(client.publicUrl).host === new URL(admin.publicUrl).host) {
    mistake(
      'web.admin.public_url',
      'the same as web.client.public_url: each site needs an address of its own',
    );
  }
  return { client, admin, trustedProxies: networks(file.trusted_proxies), insecureHttp: file.insecure_http };
}

/** Whether nobody on the way can read it. Tor encrypts what goes to an .onion itself. */
function isProtected(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === 'https:' || hostname.endsWith('.onion');
}

function networks(texts: string[]): BlockList {
  const list = new BlockList();
  for (const text of texts) {
    const [address = '', bits] = text.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return list;
}
