import type { html } from 'hono/html';

/** HTML that is safe to show: text within an `html` template is escaped. */
export type PageHtml = ReturnType<typeof html>;

/** What can stand within a template; null, undefined and false print nothing. */
export type HtmlContent =
  | PageHtml
  | string
  | number
  | bigint
  | null
  | undefined
  | false
  | readonly HtmlContent[];
