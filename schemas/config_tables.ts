import { z } from 'zod'
import { name } from './config_connections.ts'

/** Files that expressions look things up in. */
export const tables = z
  .array(
    z.strictObject({
      name: name.describe('what expressions call it: `lookup("hosts", alert.labels.host)`; unique'),
      file: z
        .string()
        .min(1)
        .describe(
          'CSV with a line of names, a JSON list of objects, or a JSON object of objects by key; read again when it changes',
        ),
      key: z.string().min(1).default('key').describe('the column, or the field, whose value is looked up'),
    }),
  )
  .max(100)
  .default([])
  .describe('files that expressions of sources look things up in, such as the team of a host')
  .meta({ examples: [[{ name: 'hosts', file: 'hosts.csv', key: 'host' }]] })
