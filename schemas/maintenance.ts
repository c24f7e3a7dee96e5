import { z } from 'zod'
import { once, weekly } from './calendar.ts'
import { LIMITS } from './limits.ts'
import { matcher } from './matcher.ts'

const named = {
  name: z.string().min(1).max(LIMITS.source_chars),
  match: z.array(matcher).min(1).max(LIMITS.matchers_per_silence),
  comment: z.string().max(LIMITS.comment_chars),
}

export const onceWindow = once.extend({ kind: z.literal('once'), ...named })
const weeklyWindow = weekly.extend({ kind: z.literal('weekly'), ...named })

/** Work that is planned: alerts that match are suppressed while its calendar holds. */
export const maintenanceWindow = z.discriminatedUnion('kind', [onceWindow, weeklyWindow])
export type MaintenanceWindow = z.infer<typeof maintenanceWindow>
