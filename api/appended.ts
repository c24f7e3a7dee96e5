import type { Clock, Log, Position, Store } from '../runtime/ports.ts'
import type { Command, CommandBody } from '../schemas/command.ts'
import { encodeRecord } from '../schemas/codec.ts'
import { hasFolded } from './rows.ts'

export interface AppendedParts {
  readonly log: Log
  readonly store: Store
  readonly clock: Clock
  /** What this process appended as alerts: partition → position of the newest entry. */
  readonly intake: { appended(): ReadonlyMap<number, Position> }
}

const WAIT_MS = 1_000
const POLL_MS = 10

/** Writes commands to the alerts log, and lets reads wait until they see what this process wrote. */
export class Appended {
  private readonly parts: AppendedParts
  private readonly commands = new Map<number, Position>()
  /** Positions known to be folded, or waited for in vain: no read waits for them again. */
  private readonly done = new Map<number, Position>()

  constructor(parts: AppendedParts) {
    this.parts = parts
  }

  async command(command: Command, partitions: readonly number[]): Promise<void> {
    const value = encodeRecord({ kind: 'command', command })
    const positions = await this.parts.log.append(
      partitions.map((partition) => ({ topic: 'alerts', partition, value })),
    )
    for (const [i, partition] of partitions.entries()) this.commands.set(partition, positions[i] as Position)
  }

  /** What concerns every scope goes to every partition, under one id for each command. */
  async everywhere(
    command_id: string,
    actor: string,
    bodies: readonly CommandBody[],
    partitions: number,
  ): Promise<void> {
    const all = Array.from({ length: partitions }, (_, partition) => partition)
    for (const [i, body] of bodies.entries())
      await this.command(
        { id: i === bodies.length - 1 ? command_id : `${command_id}.${i}`, actor, body },
        all,
      )
  }

  /** Resolves once the correlator has folded what this process appended, or after a second. */
  async folded(): Promise<void> {
    const open = new Map<number, Position>()
    for (const written of [this.parts.intake.appended(), this.commands]) {
      for (const [partition, position] of written) {
        if (position > (this.done.get(partition) ?? -1))
          open.set(partition, Math.max(position, open.get(partition) ?? -1))
      }
    }
    for (let waited_ms = 0; open.size > 0 && waited_ms < WAIT_MS; waited_ms += POLL_MS) {
      if (waited_ms > 0) await this.parts.clock.sleep(POLL_MS)
      await this.settle(open)
    }
    for (const [partition, position] of open) this.done.set(partition, position)
  }

  private async settle(open: Map<number, Position>): Promise<void> {
    for (const [partition, position] of open) {
      if (!(await hasFolded(this.parts.store, partition, position))) continue
      this.done.set(partition, position)
      open.delete(partition)
    }
  }
}
