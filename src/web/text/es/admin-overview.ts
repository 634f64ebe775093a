import type { OverviewTexts } from '../en/admin-overview.ts';

export const overviewEs: OverviewTexts = {
  needs: {
    title: 'Requiere su atención',
    nothing: 'Nada requiere su atención.',
    nothingYet: 'La próxima corrida reintenta lo que no funcionó.',
    unseen:
      'LNbits no dijo cuánto tiene la billetera de origen; no se sabe de nada más que requiera su atención.',
    codes: {
      review: ({ count, isOne }) =>
        isOne ? 'Un retiro está en revisión' : `${count} retiros están en revisión`,
      held: ({ count, isOne }) => (isOne ? 'Un pago está retenido' : `${count} pagos están retenidos`),
      unknown: ({ count, isOne }) =>
        isOne ? 'De un pago no se sabe si llegó' : `De ${count} pagos no se sabe si llegaron`,
      refused: () => 'La última corrida fue rechazada',
      defect: () => 'La última corrida terminó en un defecto de este programa',
      'wallet-full': () => 'La billetera de origen tiene más de lo que LNbits permite',
      start: () => 'start_at probablemente es un error',
      'broken-off': ({ subject }) => `La corrida ${subject} se cortó: fue detenida, o el disco está lleno`,
      stale: () => 'Ninguna corrida ha funcionado en demasiado tiempo',
      overrun: () => 'Una corrida lleva demasiado tiempo',
      clock: () => 'El reloj de este equipo está mal',
      entry: ({ subject }) => `${subject} se anotó con un reloj equivocado`,
      'credits-doubtful': ({ count, isOne }) =>
        isOne
          ? 'Un abono de la billetera de origen está en duda'
          : `${count} abonos de la billetera de origen están en duda`,
      'credits-not-made': ({ count, isOne }) =>
        isOne
          ? 'Un abono de la billetera de origen no se hizo'
          : `${count} abonos de la billetera de origen no se hicieron`,
      contradicted: ({ count, isOne }) =>
        isOne
          ? 'Un pago se dio por perdido, pero LNbits lo muestra'
          : `${count} pagos se dieron por perdidos, pero LNbits los muestra`,
      aged: ({ count, isOne }) =>
        isOne ? 'Un pago lleva demasiado tiempo abierto' : `${count} pagos llevan demasiado tiempo abiertos`,
      overdue: ({ count }) => `${count} sats llevan demasiado tiempo sin pagarse`,
      short: ({ count }) =>
        count === ''
          ? 'LNbits pide más de lo que se debe'
          : `Faltan ${count} sats en la billetera de origen para lo que toca pagar`,
    },
    actions: {
      look: 'Verlo',
      decide: 'Decidir',
      check: 'Revisar todo',
      run: 'Correr ahora',
      resume: 'Reanudar pagos',
      books: 'Ver los libros',
      clocks: 'Ver los relojes',
      configuration: 'Ver la configuración',
      runs: 'Ver las corridas',
      topUp: 'Ver lo que se debe',
    },
  },
  run: {
    title: 'Corridas',
    lastSuccess: 'Última con éxito',
    never: 'ninguna todavía',
    last: 'Última corrida',
    next: 'Próxima corrida',
    nextHelp: 'según el horario, donde el servicio lo corre',
    going: 'Corriendo ahora',
    goingBy: (run, kind, who) => `${run}, ${kind} por ${who}`,
    notGoing: 'no',
    readUpTo: 'Lamassu leído hasta',
    nothingRead: 'aún no se ha leído nada',
    now: 'Correr ahora',
    dry: 'Simular',
    all: 'Todas las corridas',
  },
  money: {
    title: 'Dinero',
    owed: 'Se debe a los clientes',
    openPayouts: (count, isOne) => (isOne ? 'en 1 pago abierto' : `en ${count} pagos abiertos`),
    waiting: 'De eso, aún no toca',
    source: 'Billetera de origen',
    enough: 'alcanza para lo que se debe',
    short: (sats) => `${sats} sats menos de lo que se debe`,
    wantsMore: 'LNbits pide más de lo que se debe',
    unknown: 'no se sabe',
    toCome: (sats) => `y ${sats} sats por abonar`,
    paidToday: 'Pagado hoy',
    payouts: (count, isOne) => (isOne ? 'en 1 pago' : `en ${count} pagos`),
    commission: (sats) => `${sats} sats de eso son comisión`,
  },
  waits: {
    title: 'Quién espera qué',
    none: 'Nada espera ser pagado.',
    more: (count) => `${count} más`,
  },
  machines: {
    title: 'Efectivo de los clientes en los cajeros',
    none: 'Ningún cliente tiene efectivo en un cajero.',
    machine: 'Cajero',
    left: 'Queda',
    onTheWay: 'En camino',
    out: 'Salió en 7 días',
    own: 'De eso, parte propia',
    clients: 'Clientes',
    paused: (all) => `En pausa, fuera de los retiros: ${all}`,
  },
  months: {
    title: 'Este mes y el anterior',
    what: 'Qué',
    soFar: (month) => `${month}, hasta hoy`,
    cashOuts: 'Retiros',
    clients: 'Sats de los clientes',
    commission: 'Comisión en sats',
    own: 'Parte propia en sats',
  },
  first: {
    title: 'Primeros pasos',
    lead: 'En este orden, una vez cada uno. Esta lista desaparece después de la primera corrida con éxito.',
    done: 'hecho',
    open: 'por hacer',
    doctor: 'Revisar todo: configuración, Lamassu, LNbits, permisos',
    client: 'Agregar un cliente',
    funding: 'Agregar el efectivo de un cliente',
    dry: 'Probar una corrida: no se escribe nada, no se paga nada',
    timer: 'Dejar que corra solo: como servicio, o con un temporizador',
    timerHelp: 'En la consola del equipo; docs/install.md explica ambos.',
  },
};
