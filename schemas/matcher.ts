import { z } from 'zod'
import { LIMITS } from './limits.ts'

/** One condition on a label; regular expressions are RE2 and match the whole value; an absent label is the empty string. */
export const matcher = z.object({
  name: z.string().min(1).max(LIMITS.label_name_chars),
  op: z.enum(['=', '!=', '=~', '!~']),
  value: z.string().max(LIMITS.label_value_chars),
})
export type Matcher = z.infer<typeof matcher>
