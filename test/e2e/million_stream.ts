import { alertOf, type LoadShape, order, type SentAlert } from '../../bench/load/alerts.ts'
import type { AlertMessage } from '../../bench/load/kafka.ts'
import { seeded } from '../../bench/load/random.ts'
import { SOURCE_PARTITIONS } from '../installation/distributed.ts'

/** A message of the stream with what is in it. */
export interface StreamMessage extends AlertMessage {
  readonly sent: readonly SentAlert[]
}

export const GROUP_BY = ['alertname', 'group'] as const
/** Groups that have critical alerts. */
const CRITICAL_GROUPS = 5
const HOUR_MS = 3_600_000
const MESSAGE_ALERTS_MIN = 20
const MESSAGE_ALERTS_MAX = 100
/** Of messages: these hold one alert, and not in an array. */
const SINGLE_SHARE = 0.2

/** A seeded stream: the same alerts in the same messages whenever it is read. Repeats of an alert may be in any partition. */
export class Stream {
  readonly total: number
  readonly distinct: number
  private readonly shape: LoadShape
  private readonly alerts: readonly SentAlert[]
  private readonly texts: readonly string[]

  constructor(total: number, distinct: number) {
    this.total = total
    this.distinct = distinct
    this.shape = { seed: 20_261, distinct, per_group: 100, started_at_ms: Date.now() - HOUR_MS }
    this.alerts = Array.from({ length: distinct }, (_, i) => this.alert(i))
    this.texts = this.alerts.map((alert) => JSON.stringify(alert))
  }

  /** `total` statements that alerts fire. */
  firing(): Generator<StreamMessage> {
    return this.messages(order(this.shape, this.total), this.alerts, this.texts)
  }

  /** One statement for each alert that it is over. */
  resolving(): Generator<StreamMessage> {
    const over = this.alerts.map((alert) => ({
      ...alert,
      endsAt: new Date(Date.parse(alert.startsAt) + 60_000).toISOString(),
    }))
    return this.messages(
      over.keys(),
      over,
      over.map((alert) => JSON.stringify(alert)),
    )
  }

  *statements(): Generator<SentAlert> {
    for (const { sent } of this.firing()) yield* sent
    for (const { sent } of this.resolving()) yield* sent
  }

  /** Few groups are critical, so that few incidents have tickets. */
  private alert(i: number): SentAlert {
    const alert = alertOf(this.shape, i)
    const few = Math.floor(i / this.shape.per_group) < CRITICAL_GROUPS
    return alert.labels['severity'] === 'critical' && !few
      ? { ...alert, labels: { ...alert.labels, severity: 'warning' } }
      : alert
  }

  private *messages(
    indices: Iterable<number>,
    alerts: readonly SentAlert[],
    texts: readonly string[],
  ): Generator<StreamMessage> {
    const random = seeded(this.shape.seed + 1)
    let chosen: number[] = []
    let wanted = 1
    const message = (): StreamMessage => {
      const parts = chosen.map((i) => texts[i] ?? '')
      const sent = chosen.flatMap((i) => alerts[i] ?? [])
      const value = wanted === 1 ? (parts[0] ?? '') : `[${parts.join(',')}]`
      chosen = []
      const several =
        MESSAGE_ALERTS_MIN + Math.floor(random() * (MESSAGE_ALERTS_MAX - MESSAGE_ALERTS_MIN + 1))
      wanted = random() < SINGLE_SHARE ? 1 : several
      return { partition: Math.floor(random() * SOURCE_PARTITIONS), value, alerts: sent.length, sent }
    }
    for (const i of indices) {
      chosen.push(i)
      if (chosen.length === wanted) yield message()
    }
    if (chosen.length > 0) yield message()
  }
}
