import type { CreditsTexts } from '../en/admin-credits.ts';

export const creditsEs: CreditsTexts = {
  title: 'Abonos',
  lead: 'Lo que el superusuario de LNbits pone en la billetera de origen, para que los sats de los retiros estén ahí y se puedan pagar.',
  caption: 'Abonos, los más recientes primero',
  states: {
    intended: 'aún no hecho',
    sending: 'enviado, sin respuesta aún',
    unknown: 'no se sabe qué pasó',
    credited: 'abonado',
    held: 'retenido',
    dropped: 'dado por perdido',
  },
  tabs: 'Estados de los abonos',
  all: 'todos',
  heads: { credit: 'Abono', state: 'Estado', made: 'Anotado', cashOuts: 'Retiros', why: 'Por qué' },
  emptyTitle: 'No hay abonos.',
  empty:
    'Los abonos están apagados, o aún no hubo nada que abonar. docs/crediting.md dice cuándo hacen falta.',
  nothingFound: 'Ningún abono en este estado.',
  detail: {
    title: (id) => `Abono ${id}`,
    state: 'Estado',
    wallet: 'Billetera de origen',
    made: 'Anotado',
    sent: 'Enviado',
    credited: 'Abonado',
    payment: 'Envío',
    cashOuts: 'Para estos retiros',
    fee: 'solo para la comisión de servicio de LNbits',
    decide: 'Decidir',
  },
  resolveForm: {
    title: (id) => `¿Qué pasó con el abono ${id}?`,
    lead: 'Primero se lee la billetera de origen. Lo que muestra con claridad no se puede contradecir aquí.',
    word: 'Su decisión',
    yes: 'Está en la billetera de origen',
    yesHelp: 'Se anota como abonado, y no se hace otra vez.',
    no: 'No está, y nunca estará',
    noHelp: (seconds) =>
      `Se da por perdido; lo que falte se abona de nuevo. LNbits puede estar trabajando todavía, así que antes se esperan ${seconds} s.`,
    payment: 'Qué envío de la billetera de origen es, o no es, por su hash',
    waits: (seconds) =>
      `Esperando hasta ${seconds} s, para que LNbits ya no pueda estar trabajando en él; luego se lee la billetera de origen. Puede salir de esta página y volver.`,
    button: 'Anotarlo',
  },
  resolved: 'Su decisión quedó anotada.',
};
