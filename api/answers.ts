import { z } from 'zod'
import { ERROR_CODES } from './errors.ts'

/** Shapes that several routes answer with. */

export const errorAnswer = z
  .object({
    error: z.object({
      code: z.string().describe(`one of ${ERROR_CODES.join(', ')}`),
      message: z.string().describe('what was wrong, for people'),
      field: z.string().optional().describe('the parameter, header or path in the body that is at fault'),
      remedy: z.string().optional().describe('what to do about it'),
    }),
  })
  .describe('An error.')

/** The answers of a route: its own, and the errors that every route may give. */
export function answers<Ok extends Readonly<Record<number, z.ZodType>>>(ok: Ok) {
  return { ...ok, '4xx': errorAnswer, '5xx': errorAnswer }
}
