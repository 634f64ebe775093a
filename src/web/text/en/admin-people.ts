import type { Scope } from '../../../operations/rights.ts';
import type { CredentialView, PersonView, SessionView, TokenView } from '../../../views/people.ts';

const roles: Record<PersonView['role'], string> = {
  owner: 'does everything, also who may come in and who is paid the commission',
  operator: 'runs it day by day: clients, cash, review, payouts',
  bookkeeper: 'reads and exports, and changes nothing',
};
const ways: Record<CredentialView['kind'], string> = {
  passkey: 'passkey',
  password: 'password',
  totp: 'authenticator app',
};
const methods: Record<SessionView['method'], string> = {
  link: 'by a link',
  passkey: 'by a passkey',
  password: 'by password and code',
};
const tokenStates: Record<TokenView['status'], string> = {
  active: 'active',
  expired: 'expired',
  revoked: 'revoked',
};
const scopes: Record<Scope, string> = {
  read: 'read everything, and export',
  'fundings:write': 'cash of clients',
  'clients:write': 'clients and their settings',
  'payouts:write': 'hold, release and decide payouts; stop paying',
  'review:write': 'release and dismiss cash-outs in review',
  'settlements:write': 'settle by hand',
  'machines:write': 'names and rates of machines',
  'commission:write': 'who receives the commission',
  'runs:write': 'run now',
};

export const peopleEn = {
  title: 'People',
  lead: 'Who may use this site. You cannot change your own role, or disable yourself. The shell of the host makes the first owner, and helps whoever lost everything.',
  caption: 'People',
  add: 'Add somebody',
  heads: {
    name: 'Name',
    role: 'Role',
    state: 'State',
    ways: 'Signs in by',
    sessions: 'Open sign-ins',
    seen: 'Last seen',
    added: 'Added',
  },
  onlyLink: 'nothing yet but a link',
  never: 'never',
  enabled: 'may come in',
  disabled: 'shut out',
  roles,
  ways,
  methods,
  invite: 'New link',
  setRole: 'Change role',
  disable: 'Shut out',
  enable: 'Let in again',
  you: 'you',
  addForm: {
    title: 'Add somebody',
    name: 'Name',
    nameHelp: 'As it stands in the log: letters, digits, dots and dashes.',
    role: 'Role',
    submit: 'Make the link',
  },
  inviteForm: {
    title: (name: string) => `A new link for ${name}`,
    lead: 'For another device, or after a loss. It replaces an earlier link that was not used, and changes nothing else.',
    submit: 'Make the link',
  },
  link: {
    title: (name: string) => `The link for ${name}`,
    once: 'It is shown once, and counts once. Hand it over so that nobody else sees it.',
    link: 'Link',
    code: 'Or this code, to type at the sign-in page',
    until: 'It counts until',
    qr: 'To scan with a phone',
    back: 'Back to the people',
  },
  setForm: {
    title: (name: string) => `The role of ${name}`,
    lead: 'It ends the sign-ins of this person, who comes in again with the new rights.',
  },
  disableForm: {
    title: (name: string) => `Shut ${name} out`,
    lead: 'Ends the sign-ins and the link of this person at once. “Let in again” undoes it.',
    submit: 'Shut out',
  },
  enableForm: {
    title: (name: string) => `Let ${name} in again`,
    lead: 'With the passkeys and the password of before.',
    submit: 'Let in again',
  },
  done: {
    set: 'The role is changed.',
    disabled: 'Shut out, and signed out everywhere. “Let in again” undoes it.',
    enabled: 'May come in again.',
  },
  tokens: {
    title: 'Tokens',
    lead: 'For scripts on the API. Each may do what it says, and nothing else; what moves money is in the log under its name.',
    caption: 'Tokens',
    add: 'Make a token',
    heads: { name: 'Name', scopes: 'May', state: 'State', made: 'Made', until: 'Until', used: 'Last used' },
    never: 'never',
    forever: 'no end',
    revoke: 'Revoke',
    emptyTitle: 'There are no tokens.',
    empty: 'A script that reads figures, or enters cash, gets a token of its own.',
    states: tokenStates,
    scopes,
    form: {
      title: 'Make a token',
      name: 'Name',
      nameHelp: 'Of the script that uses it, like till-2.',
      scopes: 'What it may do',
      expires: 'Until',
      expiresHelp: 'Like 90 days. Empty: without an end.',
      submit: 'Make it',
    },
    made: {
      title: (name: string) => `The token ${name}`,
      once: 'It is shown once. Keep it where only the script can read it.',
      token: 'Token',
      back: 'Back to the tokens',
    },
    revokeForm: {
      title: (name: string) => `Revoke ${name}`,
      lead: 'It counts no more from now on. This cannot be undone; a new token can be made.',
      submit: 'Revoke it',
    },
    revoked: 'Revoked. It counts no more.',
  },
  account: {
    lead: (name: string, role: string) => `You are ${name}, ${role}.`,
    sessions: 'Where you are signed in',
    session: { device: 'Device', by: 'How', began: 'Since', used: 'Last used', until: 'Until' },
    here: 'this one',
    unknown: 'unknown device',
    end: 'Sign out there',
    endAll: 'Sign out everywhere',
    credentials: 'What you sign in with',
    credential: { kind: 'What', label: 'Name', added: 'Added', used: 'Last used' },
    noCredentials:
      'Nothing yet: this sign-in came by a link, which counts once. Add a passkey or a password before you leave.',
    remove: 'Remove',
    addPasskey: 'Add a passkey',
    passkeyLead: 'The face, finger or key of this device. It is the safest way, and the quickest.',
    setPassword: 'Set a password',
    passwordLead:
      'With a code of an authenticator app, for a browser without passkeys. A new one replaces the old one.',
    passwordForm: {
      title: 'Password and authenticator app',
      password: 'New password',
      passwordHelp: 'At least 12 characters; several words are good.',
      scan: 'Scan this with an authenticator app',
      secret: 'Or type this secret into it',
      code: 'The code that the app shows now',
      submit: 'Set it',
    },
    removeForm: {
      title: 'Remove a way to sign in',
      lead: 'It counts no more from now on. Keep another way, or ask an owner for a link.',
      submit: 'Remove it',
    },
    tokens: 'Tokens for scripts',
    people: 'People',
    done: {
      ended: 'Signed out there.',
      removed: 'Removed.',
      password: 'Password and authenticator app are set.',
      passkey: 'The passkey is added.',
    },
  },
};

export type PeopleTexts = typeof peopleEn;
