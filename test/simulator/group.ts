import type { Host, World } from './world.ts'

/** A member of a group, as the group sees it. */
export interface Member {
  readonly host: Host
  gained(partition: number): void
  /** It may go on with the partition until this is called, while another member owns it already. */
  lost(partition: number): void
}

/**
 * Shares partitions among members in a seeded way. Whoever loses a partition learns of it late, so that for a while two
 * members believe that they own it; whoever died is missed late.
 */
export class Group {
  private readonly world: World
  private readonly name: string
  private readonly partitions: number
  private readonly members: Member[] = []
  private readonly assigned = new Map<number, Member>()
  /** Losses that members have not learned of: partition and member. */
  private unlearned: { readonly partition: number; readonly member: Member }[] = []

  constructor(world: World, name: string, partitions: number) {
    this.world = world
    this.name = name
    this.partitions = partitions
  }

  join(member: Member): void {
    this.members.push(member)
    this.share()
  }

  leave(member: Member): void {
    const at = this.members.indexOf(member)
    if (at < 0) return
    this.members.splice(at, 1)
    for (const [partition, owner] of this.assigned) if (owner === member) this.assigned.delete(partition)
    this.share()
  }

  /** The group notices that a process is gone. */
  miss(host: Host): void {
    for (const member of this.members.filter((one) => one.host === host)) this.leave(member)
  }

  /** Hands partitions to other members, for no reason, as brokers do. */
  share(): void {
    const { random } = this.world
    if (this.members.length === 0) return
    for (let partition = 0; partition < this.partitions; partition++) {
      const owner = this.assigned.get(partition)
      if (owner !== undefined && random.chance(0.5)) continue
      const member = random.pick(this.members)
      if (member === owner) continue
      if (owner !== undefined) this.takeFrom(owner, partition)
      this.learn(partition, member)
      this.assigned.set(partition, member)
      this.world.note(member.host.name, 'gains', `${this.name}/${partition}`)
      member.gained(partition)
    }
  }

  private takeFrom(member: Member, partition: number): void {
    this.unlearned.push({ partition, member })
    const zombie_ms = this.world.random.chance(0.5)
      ? this.world.latency()
      : this.world.random.between(100, 8_000)
    this.world.scheduler.after(zombie_ms, () => this.learn(partition, member))
  }

  /** A member hears of its losses before it hears that it owns the partition again. */
  private learn(partition: number, member: Member): void {
    const open = this.unlearned.filter((loss) => loss.partition === partition && loss.member === member)
    if (open.length === 0) return
    this.unlearned = this.unlearned.filter((loss) => !open.includes(loss))
    if (!member.host.alive) return
    this.world.note(member.host.name, 'loses', `${this.name}/${partition}`)
    member.lost(partition)
  }
}
