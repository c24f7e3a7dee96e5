import type { FastifyInstance, FastifyReply } from 'fastify'
import { z } from 'zod'
import { ApiError, sendError, toApiError } from '../errors.ts'

/** A request that Alertmanager answers 400, with the text of its answer. */
export class BadRequest extends Error {
  override name = 'BadRequest'
}

/** Errors of Alertmanager are JSON strings with a line end. */
export function sendText(reply: FastifyReply, status: number, text: string): FastifyReply {
  return reply
    .code(status)
    .type('application/json')
    .send(`${JSON.stringify(text)}\n`)
}

/** Codes of go-openapi/errors, which Alertmanager's generated server answers with; their HTTP status is 422. */
const OPENAPI_CODE = { type: 601, required: 602, items_min: 612 } as const

function schemaFault(issue: z.core.$ZodIssue, place: 'body' | 'path'): { code: number; message: string } {
  const where = `${issue.path.join('.')} in ${place}`
  if (issue.code === 'invalid_type' && issue.message.endsWith('received undefined'))
    return { code: OPENAPI_CODE.required, message: `${where} is required` }
  if (issue.code === 'too_small' && issue.origin === 'array')
    return { code: OPENAPI_CODE.items_min, message: `${where} should have at least ${issue.minimum} items` }
  const wanted =
    issue.code === 'invalid_format'
      ? issue.format
      : issue.code === 'invalid_type'
        ? issue.expected
        : 'another type'
  return { code: OPENAPI_CODE.type, message: `${where} must be of type ${wanted}` }
}

/** Within this scope bad requests are answered in the forms of Alertmanager's API v2. */
export function installAlertmanagerErrors(scope: FastifyInstance): void {
  scope.setErrorHandler((error, request, reply) => {
    if (error instanceof BadRequest) return sendText(reply, 400, error.message)
    const told = toApiError(error)
    if (told.code === 'json-syntax')
      return reply.code(400).send({ code: 400, message: `parsing the body failed: ${told.message}` })
    const issue =
      error instanceof ApiError && error.cause instanceof z.ZodError ? error.cause.issues[0] : undefined
    if (issue) return reply.code(422).send(schemaFault(issue, told.code === 'invalid-body' ? 'body' : 'path'))
    if (told.code !== 'internal') return sendError(reply, told)
    request.log.error({ err: error }, 'a request failed by a fault of the program')
    return sendText(reply, 500, told.message)
  })
}
