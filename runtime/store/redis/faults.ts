import { ReplyError } from 'ioredis'
import { Retryable } from '../../errors.ts'

/** Refusals of Redis that pass: no memory, a replica, no quorum, loading, a failed save, a slot on its way, a long script. */
const PASSING = new Set([
  ...[
    'OOM',
    'READONLY',
    'LOADING',
    'MASTERDOWN',
    'CLUSTERDOWN',
    'TRYAGAIN',
    'MISCONF',
    'NOREPLICAS',
    'BUSY',
    'UNKILLABLE',
  ],
  ...['MOVED', 'ASK', 'UNBLOCKED', 'NOSCRIPT'],
])
const REFUSED = new Set(['WRONGPASS', 'NOAUTH', 'NOPERM'])

const isReplyError = (error: unknown): error is Error => error instanceof (ReplyError as new () => Error)

/** The code that an error reply begins with, such as OOM (RESP, "Simple errors"); null for errors of the connection. */
export function replyCode(error: unknown): string | null {
  if (!isReplyError(error)) return null
  return error.message.slice(0, error.message.search(/ |$/))
}

export function isRefused(error: unknown): boolean {
  return REFUSED.has(replyCode(error) ?? '')
}

/** Retryable for whatever may pass; a reply that says that this program is wrong stays as it is. */
export function asStoreError(error: unknown, doing: string): unknown {
  if (error instanceof Retryable || error instanceof TypeError || error instanceof RangeError) return error
  if (!(error instanceof Error)) return error
  const code = replyCode(error)
  if (code === null)
    return new Retryable('redis-unavailable', `${doing}: Redis cannot be reached (${error.message})`, {
      cause: error,
    })
  if (!PASSING.has(code) && !REFUSED.has(code)) return error
  return new Retryable(`redis-${code.toLowerCase()}`, `${doing}: Redis refuses (${error.message})`, {
    cause: error,
  })
}
