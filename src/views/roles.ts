/** The roles of people on the admin site. This file loads nothing, because the help needs it. */
export const ROLE_NAMES = ['owner', 'operator', 'bookkeeper'] as const;
