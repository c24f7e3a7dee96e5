import { type AlertRow, type IncidentRow, ROW_PREFIX } from '../correlate/state.ts'
import { Retryable } from '../runtime/errors.ts'
import type { Clock, Log, Position, Shard, Store } from '../runtime/ports.ts'
import { encodeRecord } from '../schemas/codec.ts'
import { alertFingerprint, partitionOf } from '../schemas/ids.ts'
import { LIMITS } from '../schemas/limits.ts'
import type { NormaliserConfig } from './normalise.ts'
import { scopeOf } from './scope.ts'
import type { Acknowledgement, RejectedAlert } from './sources/raw_alert.ts'

export interface AcknowledgerParts {
  readonly log: Pick<Log, 'append' | 'partitions'>
  readonly store: Pick<Store, 'read' | 'position'>
  readonly clock: Clock
  readonly config: Pick<NormaliserConfig, 'scope'>
  /** What this process appended as alerts: partition → position of the newest entry. */
  readonly intake: { appended(): ReadonlyMap<number, Position> }
}

const WAIT_MS = 2_000
const POLL_MS = 20

/** Turns what a sender says of an alert into a command on the alert's incident. */
export class Acknowledger {
  private readonly parts: AcknowledgerParts

  constructor(parts: AcknowledgerParts) {
    this.parts = parts
  }

  /**
   * Carries out what one message says; returns what named no alert that fires, as rejects. `idOf` gives the idempotency key of each.
   * Throws Retryable, also while the correlator is behind with what this process took in; then it may be given again.
   */
  async settle(
    acknowledgements: readonly Acknowledgement[],
    idOf: (ordinal: number) => string,
  ): Promise<readonly RejectedAlert[]> {
    const rejects: RejectedAlert[] = []
    for (const one of acknowledgements) {
      if (await this.acknowledge(one, idOf(one.ordinal))) continue
      const reason = 'there is nothing to acknowledge: no alert of this identity fires'
      const payload = JSON.stringify(one)
      rejects.push({ ordinal: one.ordinal, code: 'acknowledge-unknown', reason, payload })
    }
    return rejects
  }

  /** False when no alert of this identity fires. An incident that is in hand already stays as it is. */
  private async acknowledge({ identity, by }: Acknowledgement, command_id: string): Promise<boolean> {
    const { log, config } = this.parts
    const scope = scopeOf(identity, config.scope.labels)
    const partition = partitionOf(scope, log.partitions('alerts'))
    await this.folded(partition)
    const alert = await this.row<AlertRow>(partition, ROW_PREFIX.alert + alertFingerprint(scope, identity))
    if (!alert?.firing || alert.dismissed) return false
    const { incident_id } = alert
    const incident = await this.row<IncidentRow>(partition, ROW_PREFIX.incident + incident_id)
    if (incident?.incident.state !== 'open') return true
    const command = {
      id: command_id,
      actor: by.slice(0, LIMITS.source_chars),
      body: { kind: 'acknowledge' as const, incident_id },
    }
    await log.append([{ topic: 'alerts', partition, value: encodeRecord({ kind: 'command', command }) }])
    return true
  }

  /** An alert that was answered a moment ago must be found. */
  private async folded(partition: number): Promise<void> {
    const { intake, store, clock } = this.parts
    const appended = intake.appended().get(partition)
    for (let waited_ms = 0; waited_ms < WAIT_MS; waited_ms += POLL_MS) {
      const position = await store.position(shardOf(partition))
      if (appended === undefined || (position !== null && position > appended)) return
      await clock.sleep(POLL_MS)
    }
    throw new Retryable('correlator-behind', 'what was taken in before is not folded yet; send it again')
  }

  private async row<Row>(partition: number, key: string): Promise<Row | null> {
    const rows = await this.parts.store.read(shardOf(partition), key)
    const found = rows.find(([stored]) => stored === key)
    return found ? (JSON.parse(found[1].toString()) as Row) : null
  }
}

const shardOf = (partition: number): Shard => `correlate/alerts/${partition}`
