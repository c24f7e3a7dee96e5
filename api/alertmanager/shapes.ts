import { z } from 'zod'

/** Shapes of Alertmanager's API v2 (api/v2/openapi.yaml in its repository). */

const time = z.iso.datetime({ offset: true })
const labelSet = z.record(z.string(), z.string())
const receiverReference = z.object({ name: z.string() })

export const gettableAlert = z.object({
  annotations: labelSet,
  endsAt: time,
  fingerprint: z.string(),
  receivers: z.array(receiverReference),
  startsAt: time,
  status: z.object({
    inhibitedBy: z.array(z.string()),
    mutedBy: z.array(z.string()),
    silencedBy: z.array(z.string()),
    state: z.enum(['unprocessed', 'active', 'suppressed']),
  }),
  updatedAt: time,
  generatorURL: z.string().optional(),
  labels: labelSet,
})
export type GettableAlert = z.infer<typeof gettableAlert>

export const alertGroup = z.object({
  alerts: z.array(gettableAlert),
  labels: labelSet,
  receiver: receiverReference,
  routeLabels: labelSet,
})
export type AlertGroup = z.infer<typeof alertGroup>

const apiMatcher = z.object({
  name: z.string(),
  value: z.string(),
  isRegex: z.boolean(),
  isEqual: z.boolean().default(true),
})

const silenceFields = {
  matchers: z.array(apiMatcher).min(1),
  startsAt: time,
  endsAt: time,
  createdBy: z.string(),
  comment: z.string(),
  annotations: labelSet.optional(),
}
export const postableSilence = z.object({ id: z.string().optional(), ...silenceFields })
export const gettableSilence = z.object({
  id: z.string(),
  status: z.object({ state: z.enum(['expired', 'active', 'pending']) }),
  updatedAt: time,
  ...silenceFields,
})
export type GettableSilence = z.infer<typeof gettableSilence>
export const silencePosted = z.object({ silenceID: z.string() })
export const silenceParams = z.object({ silenceID: z.guid() })

export const receiver = z.object({ name: z.string(), labels: labelSet })
export const alertmanagerStatus = z.object({
  cluster: z.object({
    status: z.enum(['ready', 'settling', 'disabled']),
    peers: z.array(z.object({ name: z.string(), address: z.string() })),
  }),
  config: z.object({ original: z.string() }),
  uptime: time,
  versionInfo: z.object({
    branch: z.string(),
    buildDate: z.string(),
    buildUser: z.string(),
    goVersion: z.string(),
    revision: z.string(),
    version: z.string(),
  }),
})
