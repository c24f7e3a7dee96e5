import { type BodiesOrder, type Body, makeBodies } from './bodies.ts'
import type { AlertMessage } from './kafka.ts'

/** The load of HTTP as messages of a topic, over its partitions in turn. */
export interface Messages {
  /** Each different alert once. */
  readonly warm: Iterable<AlertMessage>
  /** As many messages as hold this many alerts. */
  take(alerts: number): Iterable<AlertMessage>
}

export function makeMessages(order: BodiesOrder, partitions: number): Messages {
  const bodies = makeBodies(order)
  let n = 0
  const asMessage = ({ parts, alerts }: Body) => ({
    partition: n++ % partitions,
    value: Buffer.concat(parts),
    alerts,
  })
  return {
    warm: bodies.warm.values().map(asMessage),
    *take(alerts) {
      for (let taken = 0; taken < alerts; ) {
        const body = bodies.next(Date.now())
        if (body === null) throw new Error(`there are no more than ${order.fresh_max} new alerts`)
        taken += body.alerts
        yield asMessage(body)
      }
    },
  }
}
