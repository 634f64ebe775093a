/* How a machine is called in lists, pages and messages. Commands find it by its name and by the beginning of its id. */

/** As many characters of a device id as are shown. */
const SHOWN = 8;

/** Lamassu's ids are long hexadecimal numbers; any other stays whole. */
export function shortMachine(machine: string): string {
  return /^[0-9a-f]{16,}$/i.test(machine) ? machine.slice(0, SHOWN) : machine;
}

/** `Antigua (7a1f4c2e)`, or `7a1f4c2e` of a machine without a name. */
export function machineText(machine: string, name: string | null): string {
  return name === null || name === machine ? shortMachine(machine) : `${name} (${shortMachine(machine)})`;
}

/** `Antigua`, or `7a1f4c2e` of a machine without a name: where there is little room, or the reader knows no ids. */
export function machineOrName(machine: string, name: string | null): string {
  return name ?? shortMachine(machine);
}
