/* The page of the log. */

export const logEn = {
  title: 'Log',
  lead: 'Every change of the books by somebody or by a run, newest first.',
  filters: {
    subject: 'What',
    subjectHelp: 'A client, f12, p118, a cash-out or a machine',
    actor: 'By whom',
    from: 'From',
    to: 'To',
  },
  heads: { at: 'Time', by: 'By', what: 'What', change: 'Before → after' },
  caption: 'Changes, newest first',
  emptyTitle: 'Nothing was changed in this time.',
  empty: 'Here is each change with who made it, when and why.',
  run: (run: string) => `run ${run}`,
  members: (count: number) => `${count} values`,
  nothing: 'nothing',
  download: 'Download as CSV',
};

export type LogTexts = typeof logEn;
