import { randomUUID } from 'node:crypto'

/** Brokers take seconds to share partitions; a local adapter needs a moment. The bound only ends a test that would never pass. */
export const PATIENCE_MS = 45_000
/** A wait that a test expects to be cut short. */
export const LONG_WAIT_MS = 120_000

/** Resolves once `holds` returns something other than false, null or undefined; throws what was missing after PATIENCE_MS. */
export async function eventually<T>(
  what: string,
  holds: () => T | Promise<T>,
): Promise<Exclude<T, false | null | undefined>> {
  const deadline = Date.now() + PATIENCE_MS
  for (;;) {
    const found = await holds()
    if (found !== false && found !== null && found !== undefined)
      return found as Exclude<T, false | null | undefined>
    if (Date.now() > deadline) throw new Error(`still not so after ${PATIENCE_MS} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** A name that no other run has used, for what outlives a test in a shared broker or store. */
export const fresh = (name: string): string => `${name}-${randomUUID()}`
