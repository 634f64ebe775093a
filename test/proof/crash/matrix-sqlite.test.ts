import { long } from '../seed.ts';
import { killsOfADay } from './matrix.ts';

killsOfADay('sqlite', '1.0.0');
if (long) killsOfADay('sqlite', '1.6.2');
