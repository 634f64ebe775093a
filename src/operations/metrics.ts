import * as z from 'zod';
import pkg from '../../package.json' with { type: 'json' };
import { ledgerMetrics } from '../monitoring/metrics.ts';
import { operation } from './operation.ts';

/** The ledger and the source wallet in numbers, with the same as Prometheus text. */
export const showMetrics = operation({
  name: 'metrics.show',
  needs: 'read',
  may: ['bookkeeper'],
  errors: [],
  input: z.strictObject({}),
  view: z.object({
    metrics: z.array(
      z.object({
        name: z.string(),
        help: z.string(),
        type: z.literal('gauge'),
        values: z.array(
          z.object({ labels: z.record(z.string(), z.union([z.string(), z.number()])), value: z.number() }),
        ),
      }),
    ),
    text: z.string(),
  }),
  run: async ({ ledger, config }) => {
    const registry = await ledgerMetrics(ledger, config, pkg.version);
    return {
      metrics: (await registry.getMetricsAsJSON()).map(({ name, help, values }) => ({
        name,
        help,
        type: 'gauge' as const,
        values: values.map(({ labels, value }) => ({
          labels: labels as Record<string, string | number>,
          value,
        })),
      })),
      text: (await registry.metrics()).trimEnd(),
    };
  },
});
