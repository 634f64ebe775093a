import { clean } from './clean.ts';

/** As many characters of a device id as lists and pages show; commands find a machine by them. */
const SHOWN = 8;

/** `Antigua (7a1f4c2e)`, or `7a1f4c2e` of a machine without a name. */
export function machineText(machine: string, name: string | null): string {
  return name === null || name === machine
    ? shortMachine(machine)
    : `${clean(name)} (${shortMachine(machine)})`;
}

/** The same for a table. */
export function machineCell(machine: string, name: string | null): string {
  return name === null || name === machine
    ? shortMachine(machine)
    : `${clean(name)} ${shortMachine(machine)}`;
}

/** Lamassu's ids are long hexadecimal numbers; any other stays whole. */
function shortMachine(machine: string): string {
  return /^[0-9a-f]{16,}$/i.test(machine) ? machine.slice(0, SHOWN) : clean(machine);
}
