import { Misconfigured, Retryable } from '../../errors.ts'
import type { Clock } from '../../ports.ts'

/** What kafkajs puts on its errors. `type` is the name of a protocol error, `code` that of a socket error. */
interface ClientError extends Error {
  readonly type?: unknown
  readonly code?: unknown
  readonly topic?: unknown
  readonly partition?: unknown
  readonly host?: unknown
  readonly port?: unknown
  readonly errors?: unknown
}

const REFUSED_TYPES = new Set([
  'TOPIC_AUTHORIZATION_FAILED',
  'GROUP_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
  'SASL_AUTHENTICATION_FAILED',
])
/** The codes of faults that only a person can mend. */
const REFUSED = new Set([...[...REFUSED_TYPES].map(protocolCode), 'kafka-login-refused'])

/** The first error of a chain of causes that says what happened: a protocol error, a socket error, or the innermost. */
export function rootOf(error: unknown): ClientError {
  if (!(error instanceof Error)) return new Error(String(error))
  const known = error as ClientError
  if (typeof known.type === 'string') return known
  const [first] = Array.isArray(known.errors) ? (known.errors as unknown[]) : []
  const inner = error.cause ?? first
  return inner instanceof Error && inner !== error ? rootOf(inner) : known
}

/** The name of Kafka's own error (such as MESSAGE_TOO_LARGE), or null. */
export function protocolType(error: unknown): string | null {
  const { type } = rootOf(error)
  return typeof type === 'string' ? type : null
}

function protocolCode(type: string): string {
  return `kafka-${type.toLowerCase().replaceAll('_', '-')}`
}

/** Any failure of the broker or of the way there. */
export function asRetryable(error: unknown, doing: string): Retryable {
  if (error instanceof Retryable) return error
  const root = rootOf(error)
  return new Retryable(codeOf(root), `${doing}: ${root.message}`, { cause: error })
}

function codeOf(root: ClientError): string {
  if (typeof root.type === 'string') return protocolCode(root.type)
  if (root.name === 'KafkaJSSASLAuthenticationError') return 'kafka-login-refused'
  if (root.name === 'KafkaJSRequestTimeoutError') return 'kafka-timeout'
  return 'kafka-unavailable'
}

/** What waiting does not mend becomes Misconfigured; the rest stays as it is. */
export function unlessRefused(error: Retryable): Retryable | Misconfigured {
  if (!REFUSED.has(error.code)) return error
  const remedy = 'check kafka.sasl and the access lists of the brokers'
  return new Misconfigured(error.code, `the brokers refuse this login (${error.message}): ${remedy}`)
}

/** Rejects with Retryable `kafka-timeout` when the promise takes too long; it goes on unobserved. */
export async function within<T>(
  promise: Promise<T>,
  timeout_ms: number,
  clock: Clock,
  doing: string,
): Promise<T> {
  const done = new AbortController()
  const late = clock.sleep(timeout_ms, done.signal).then(() => {
    if (!done.signal.aborted)
      throw new Retryable('kafka-timeout', `${doing}: no answer within ${timeout_ms} ms`)
  })
  try {
    return (await Promise.race([promise, late])) as T
  } finally {
    done.abort()
    void promise.catch(() => undefined)
  }
}
