import { startBenchmark } from './start.ts';

export const benchmark = startBenchmark('start-help', '`aio-dca --help`', ['--help']);
