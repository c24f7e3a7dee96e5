import { Repeats } from '../schemas/repeats.ts'
import type { Placed } from './combine.ts'
import type { DecodedAlerts } from './sources/raw_alert.ts'

/** What a batch has for one partition of the log. */
export interface Share {
  readonly alerts: readonly Placed[]
  readonly repeats: Repeats
}
/** By partition. */
export type Shares = ReadonlyMap<number, Share>

interface Growing {
  readonly alerts: Placed[]
  readonly repeats: Repeats[]
  repeats_total: number
}

/** An alert of one message, and which of the message's it is. */
export type Numbered = Placed & { readonly ordinal: number }

/** Gathers what messages or requests have for each partition, in order. */
export class ShareCollector {
  private readonly shares = new Map<number, Growing>()

  /** Alerts of one message, ascending by ordinal, by partition; and its repeats. */
  message(
    alerts: ReadonlyMap<number, readonly Numbered[]>,
    repeats: NonNullable<DecodedAlerts['repeats']>,
  ): void {
    for (const [partition, list] of alerts) {
      const share = this.of(partition)
      const ordinals = repeats.get(partition)?.ordinals ?? []
      let before = 0
      for (const { alert, place, ordinal } of list) {
        while (before < ordinals.length && (ordinals[before] as number) < ordinal) before++
        share.alerts.push({ alert, place, repeats_before: share.repeats_total + before })
      }
    }
    for (const [partition, { repeats: packed }] of repeats) this.repeats(partition, packed)
  }

  /** All of another batch. */
  add(shares: Shares): void {
    for (const [partition, { alerts, repeats }] of shares) {
      const share = this.of(partition)
      for (const one of alerts)
        share.alerts.push({ ...one, repeats_before: share.repeats_total + one.repeats_before })
      this.repeats(partition, repeats)
    }
  }

  done(): Shares {
    return new Map(
      [...this.shares].map(([partition, { alerts, repeats }]) => [
        partition,
        { alerts, repeats: Repeats.join(repeats) },
      ]),
    )
  }

  private repeats(partition: number, repeats: Repeats): void {
    if (repeats.count === 0) return
    const share = this.of(partition)
    share.repeats.push(repeats)
    share.repeats_total += repeats.count
  }

  private of(partition: number): Growing {
    const known = this.shares.get(partition)
    if (known !== undefined) return known
    const share: Growing = { alerts: [], repeats: [], repeats_total: 0 }
    this.shares.set(partition, share)
    return share
  }
}

/** Two shares of about half the size each, in order. */
export function halves(
  { alerts, repeats }: Share,
  alerts_max: number,
  repeats_max: number,
): readonly [Share, Share] {
  let alerts_to = Math.min(Math.ceil(alerts.length / 2), alerts_max)
  let repeats_to = alerts[alerts_to]?.repeats_before ?? repeats.count
  if (alerts.length < repeats.count) {
    repeats_to = Math.min(Math.ceil(repeats.count / 2), repeats_max)
    alerts_to = alerts.filter(({ repeats_before }) => repeats_before < repeats_to).length
  }
  return [
    { alerts: alerts.slice(0, alerts_to), repeats: repeats.slice(0, repeats_to) },
    {
      alerts: alerts
        .slice(alerts_to)
        .map((one) => ({ ...one, repeats_before: one.repeats_before - repeats_to })),
      repeats: repeats.slice(repeats_to, repeats.count),
    },
  ]
}
