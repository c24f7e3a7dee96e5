/**
 * The four classes of errors. Handlers look at the class and the code, never at the message.
 * Anything else that is thrown is a bug: the process says so and ends, and its supervisor starts it again.
 */

/** Bad data. It goes to dead letters with its reason; the partition goes on. */
export class Reject extends Error {
  override name = 'Reject'
  readonly code: string
  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

/** A fault of the world outside that may pass: try again with backoff, for ever, and raise an alarm. */
export class Retryable extends Error {
  override name = 'Retryable'
  readonly code: string
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** Somebody else owns the shard now: drop its state and claim again. */
export class Fenced extends Error {
  override name = 'Fenced'
  readonly code = 'fenced'
  constructor(shard: string) {
    super(`shard ${shard} is owned by somebody else now`)
  }
}

/** A mistake in configuration or environment that a person must mend: one line says what and how. */
export class Misconfigured extends Error {
  override name = 'Misconfigured'
  readonly code: string
  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}
