/* The formats of an export. This file loads nothing else, because the help needs it. */

export { FILE_FORMATS, TRADE_FORMATS } from '../export/format-names.ts';
