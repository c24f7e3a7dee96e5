import type { FastifyReply } from 'fastify'
import { Reject, Retryable } from '../runtime/errors.ts'

/** Every error that the API answers with: its code, HTTP status, and what to do about it. */
const CATALOGUE = {
  'json-syntax': { status: 400, remedy: 'Send one JSON document as the body.' },
  'bad-request': { status: 400, remedy: null },
  'invalid-parameter': {
    status: 400,
    remedy: 'Mend or leave out the parameter that `field` names; /api/openapi.json lists them all.',
  },
  unauthenticated: {
    status: 401,
    remedy: 'Send `Authorization: Bearer <token>`; `tocsin token` makes a token.',
  },
  forbidden: { status: 403, remedy: 'Use a token with the role that the message names.' },
  'cross-site': {
    status: 403,
    remedy: 'Call the API from its own origin, or from a program instead of a browser.',
  },
  'host-not-allowed': { status: 403, remedy: 'Use localhost or an IP address, or configure api.tokens.' },
  'not-found': { status: 404, remedy: '/api/openapi.json lists every path and its methods.' },
  'incident-unknown': {
    status: 404,
    remedy: 'GET /api/v1/incidents lists the incidents that are kept; older ones are in the history.',
  },
  'metric-unknown': { status: 404, remedy: 'GET /api/v1/analytics/metrics lists the metrics.' },
  'silence-unknown': { status: 404, remedy: 'GET /api/v1/silences lists the silences.' },
  'deadletter-unknown': { status: 404, remedy: 'GET /api/v1/deadletters lists those that are kept.' },
  'maintenance-unknown': { status: 404, remedy: 'GET /api/v1/maintenance lists the windows.' },
  'not-possible': { status: 409, remedy: 'Read the incident again: its state has moved on.' },
  'idempotency-key-reused': { status: 409, remedy: 'Send every new command with a new Idempotency-Key.' },
  'too-many-requests': { status: 429, remedy: 'Send again after Retry-After, or send more in one request.' },
  'too-large': { status: 413, remedy: 'Send less at once.' },
  'unsupported-media-type': { status: 415, remedy: 'Send `Content-Type: application/json`.' },
  'invalid-body': {
    status: 422,
    remedy: 'Mend the field that `field` names; /api/openapi.json describes the body.',
  },
  'history-limit': {
    status: 422,
    remedy: 'Ask for a shorter period, or with filters, or by what gives fewer groups.',
  },
  internal: {
    status: 500,
    remedy: 'This is a fault of Tocsin: report it with the request id of the x-request-id header.',
  },
  'history-off': { status: 503, remedy: 'Set history.enabled in the configuration.' },
  'history-unavailable': {
    status: 503,
    remedy: 'Incidents and commands work without it; try again when ClickHouse answers.',
  },
  unavailable: { status: 503, remedy: 'Nothing was lost; send the same request again.' },
} as const satisfies Record<string, { status: number; remedy: string | null }>

export type ErrorCode = keyof typeof CATALOGUE
export const ERROR_CODES = Object.keys(CATALOGUE) as readonly ErrorCode[]

/** Seconds after which a client may try again what was unavailable. */
const RETRY_AFTER_S = 5

interface Details {
  readonly field?: string
  readonly remedy?: string
  readonly retry_after_s?: number
  /** Never told to clients. */
  readonly cause?: Error
}

/** What a client is told. `field` names the parameter, header or path in the body that is at fault. */
export class ApiError extends Error {
  override name = 'ApiError'
  readonly code: ErrorCode
  readonly statusCode: number
  readonly details: Details
  constructor(code: ErrorCode, message: string, details: Details = {}) {
    super(message, details.cause && { cause: details.cause })
    this.code = code
    this.statusCode = CATALOGUE[code].status
    this.details = details
  }
}

/** The one shape of an error on the wire. */
function errorBody(error: ApiError): { error: Record<string, string> } {
  const remedy = error.details.remedy ?? CATALOGUE[error.code].remedy
  const { field } = error.details
  return {
    error: {
      code: error.code,
      message: error.message,
      ...(field !== undefined && { field }),
      ...(remedy !== null && { remedy }),
    },
  }
}

const OF_FASTIFY: Readonly<Record<string, { code: ErrorCode; message: string }>> = {
  FST_ERR_CTP_INVALID_JSON_BODY: { code: 'json-syntax', message: 'the body is no JSON' },
  FST_ERR_CTP_EMPTY_JSON_BODY: { code: 'json-syntax', message: 'the body is empty' },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: {
    code: 'bad-request',
    message: 'the body is not as long as Content-Length says',
  },
  FST_ERR_CTP_BODY_TOO_LARGE: { code: 'too-large', message: 'the body is larger than this path takes' },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: {
    code: 'unsupported-media-type',
    message: 'the Content-Type is missing or not taken here',
  },
  FST_ERR_CTP_INVALID_TYPE: {
    code: 'unsupported-media-type',
    message: 'the Content-Type is missing or not taken here',
  },
}

/** Any thrown thing as what a client may know of it: unexpected errors become `internal` without their text. */
export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error
  if (error instanceof Retryable && error.code === 'history-unavailable')
    return new ApiError('history-unavailable', 'the history does not answer now')
  if (error instanceof Retryable)
    return new ApiError('unavailable', `a part that this needs cannot be reached now (${error.code})`)
  if (error instanceof Reject && error.code === 'history-limit')
    return new ApiError('history-limit', error.message)
  if (error instanceof Reject) return new ApiError('invalid-body', error.message)
  if (!(error instanceof Error)) return new ApiError('internal', 'an unexpected error')
  const { code, statusCode } = error as { code?: unknown; statusCode?: unknown }
  const known = typeof code === 'string' ? OF_FASTIFY[code] : undefined
  if (known) return new ApiError(known.code, known.message)
  // The JSON parser marks forbidden keys (`__proto__`) and syntax errors with a status and no code of its own.
  if (error instanceof SyntaxError && statusCode === 400)
    return new ApiError('json-syntax', 'the body is no JSON')
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500)
    return new ApiError('bad-request', 'the request cannot be read')
  return new ApiError('internal', 'an unexpected error')
}

export function sendError(reply: FastifyReply, error: ApiError): FastifyReply {
  if (error.code === 'unauthenticated') reply.header('www-authenticate', 'Bearer realm="tocsin"')
  const { retry_after_s } = error.details
  if (error.statusCode === 503) reply.header('retry-after', RETRY_AFTER_S)
  if (retry_after_s !== undefined) reply.header('retry-after', retry_after_s)
  return reply
    .code(error.statusCode)
    .type('application/json; charset=utf-8')
    .send(JSON.stringify(errorBody(error)))
}
