import type {
  FastifyBaseLogger,
  FastifyInstance,
  FastifySchemaCompiler,
  FastifyTypeProvider,
  RawServerDefault,
} from 'fastify'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { z } from 'zod'
import { ApiError } from './errors.ts'

/** Types of requests and answers follow from the zod schemas of a route. */
export interface ZodTypeProvider extends FastifyTypeProvider {
  validator: this['schema'] extends z.ZodType ? z.output<this['schema']> : unknown
  serializer: this['schema'] extends z.ZodType ? z.input<this['schema']> : unknown
}

export type App = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>

const SHOWN_CHARS_MAX = 80

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length > SHOWN_CHARS_MAX ? `${text.slice(0, SHOWN_CHARS_MAX)}…` : text
}

/** Of a union the branch that comes nearest: the one whose fault lies deepest. */
function deepest(issue: z.core.$ZodIssue): z.core.$ZodIssue {
  if (issue.code !== 'invalid_union') return issue
  let best: z.core.$ZodIssue | undefined
  for (const [inner] of issue.errors) if (inner && inner.path.length > (best?.path.length ?? 0)) best = inner
  return best ? deepest({ ...best, path: [...issue.path, ...best.path] }) : issue
}

/** A union that is told apart by one key reports the whole object; what is wrong is that key. */
function inputOf(issue: z.core.$ZodIssue): unknown {
  const { input } = issue
  if (
    issue.code !== 'invalid_union' ||
    issue.discriminator === undefined ||
    typeof input !== 'object' ||
    input === null
  )
    return input
  return (input as Record<string, unknown>)[issue.discriminator]
}

function problem(issue: z.core.$ZodIssue): { field: string; message: string } {
  if (issue.code === 'unrecognized_keys') {
    const field = [...issue.path, issue.keys[0] ?? ''].map(String).join('.')
    return { field, message: `${field} is not known here` }
  }
  const field = issue.path.map(String).join('.')
  const name = field === '' ? 'the body' : field
  const input = inputOf(issue)
  const what = issue.message.replace(/^Invalid (?:input|option): /, '')
  return {
    field,
    message: input === undefined ? `${name} is missing: ${what}` : `${name} is ${shown(input)}: ${what}`,
  }
}

function failure(part: string, error: z.ZodError): ApiError {
  const { field, message } = problem(deepest(error.issues[0] as z.core.$ZodIssue))
  return new ApiError(part === 'body' ? 'invalid-body' : 'invalid-parameter', message, {
    field,
    cause: error,
  })
}

/** Fastify's validator over zod: the first thing that is wrong, by name. */
export const validatorCompiler: FastifySchemaCompiler<z.ZodType> = ({ schema, httpPart }) => {
  return (data: unknown) => {
    const result = schema.safeParse(data, { reportInput: true })
    return result.success ? { value: result.data } : { error: failure(httpPart ?? 'body', result.error) }
  }
}

/** A query parameter that may be repeated, or hold several values between commas. */
export function listOf<Item extends z.ZodType>(item: Item) {
  return z.preprocess((value) => {
    if (value === undefined) return []
    const values: readonly unknown[] = Array.isArray(value) ? value : [value]
    return values.flatMap((one) => (typeof one === 'string' ? one.split(',') : [one]))
  }, z.array(item).max(50))
}
