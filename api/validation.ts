import type { FastifyBaseLogger, FastifyInstance, FastifySchemaCompiler, FastifyTypeProvider, RawServerDefault } from 'fastify'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { z } from 'zod'
import { ApiError } from './errors.ts'

/** Types of requests and answers follow from the zod schemas of a route. */
export interface ZodTypeProvider extends FastifyTypeProvider {
  validator: this['schema'] extends z.ZodType ? z.output<this['schema']> : unknown
  serializer: this['schema'] extends z.ZodType ? z.input<this['schema']> : unknown
}

export type App = FastifyInstance<RawServerDefault, IncomingMessage, ServerResponse, FastifyBaseLogger, ZodTypeProvider>

const SHOWN_CHARS_MAX = 80

function valueAt(data: unknown, path: readonly PropertyKey[]): unknown {
  let value = data
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined
    value = (value as Record<PropertyKey, unknown>)[key]
  }
  return value
}

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

function problem(data: unknown, issue: z.core.$ZodIssue): { field: string; message: string } {
  if (issue.code === 'unrecognized_keys') {
    const field = [...issue.path, issue.keys[0] ?? ''].map(String).join('.')
    return { field, message: `${field} is not known here` }
  }
  const field = issue.path.map(String).join('.')
  const value = valueAt(data, issue.path)
  const what = issue.message.replace(/^Invalid (?:input|option): /, '')
  return { field, message: value === undefined ? `${field === '' ? 'the body' : field} is missing: ${what}` : `${field === '' ? 'the body' : field} is ${shown(value)}: ${what}` }
}

function failure(part: string, data: unknown, error: z.ZodError): ApiError {
  const { field, message } = problem(data, deepest(error.issues[0] as z.core.$ZodIssue))
  return new ApiError(part === 'body' ? 'invalid-body' : 'invalid-parameter', message, { field, cause: error })
}

/** Fastify's validator over zod: the first thing that is wrong, by name. */
export const validatorCompiler: FastifySchemaCompiler<z.ZodType> = ({ schema, httpPart }) => {
  return (data: unknown) => {
    const result = schema.safeParse(data)
    return result.success ? { value: result.data } : { error: failure(httpPart ?? 'body', data, result.error) }
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
