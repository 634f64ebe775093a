import { long } from '../seed.ts';
import { killsOfADay } from './matrix.ts';

killsOfADay('postgresql', '1.6.2');
if (long) killsOfADay('postgresql', '1.0.0');
