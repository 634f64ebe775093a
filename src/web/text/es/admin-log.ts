import type { LogTexts } from '../en/admin-log.ts';

export const logEs: LogTexts = {
  title: 'Registro',
  lead: 'Cada cambio de los libros, hecho por alguien o por una corrida; los más recientes primero.',
  filters: {
    subject: 'Qué',
    subjectHelp: 'Un cliente, f12, p118, un retiro o un cajero',
    actor: 'Quién',
    from: 'Desde',
    to: 'Hasta',
  },
  heads: { at: 'Hora', by: 'Quién', what: 'Qué', change: 'Antes → después' },
  caption: 'Cambios, los más recientes primero',
  emptyTitle: 'En este tiempo no se cambió nada.',
  empty: 'Aquí está cada cambio con quién lo hizo, cuándo y por qué.',
  run: (run) => `corrida ${run}`,
  members: (count) => `${count} valores`,
  nothing: 'nada',
  download: 'Descargar como CSV',
};
