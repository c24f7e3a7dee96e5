import { Fenced } from '../../runtime/errors.ts'
import type { Claim, Commit, Position, Shard, Store } from '../../runtime/ports.ts'
import { MemoryStore } from '../../runtime/store/memory.ts'
import type { Host, World } from './world.ts'

type Row = readonly [key: string, value: Buffer]
type Operation =
  | { readonly kind: 'claim'; readonly shard: Shard; readonly token: string }
  | { readonly kind: 'commit'; readonly shard: Shard; readonly commit: Commit }

/**
 * The store that all processes share. A failover continues with what a copy had that was some operations behind, under another
 * name of the data, with which all claims end.
 */
export class StoreServer {
  private readonly world: World
  private readonly make: () => Store
  private memory: Store
  private failovers = 0
  /** Tokens that claimed since the last failover. */
  private readonly claims = new Set<string>()
  /** Off: claims outlive a failover. A deliberate defect. */
  ends_claims = true
  private journal: Operation[] = []
  /** Since the last failover: shard and version → who committed on it. */
  private readonly committed = new Map<string, string>()

  constructor(world: World, make: () => Store) {
    this.world = world
    this.make = make
    this.memory = make()
  }

  get operations(): number {
    return this.journal.length
  }

  /** How many operations came before each claim. */
  claimedAt(): readonly number[] {
    return this.journal.flatMap(({ kind }, place) => (kind === 'claim' ? [place] : []))
  }

  /** Goes back to the first `operations` of what was done, and gives the commits that are lost. */
  async failOver(operations: number): Promise<readonly Commit[]> {
    const lost = this.journal.slice(operations)
    this.world.note(
      'store',
      'fails over and loses',
      this.journal.length - operations,
      'of',
      this.journal.length,
      'operations',
    )
    this.journal = this.journal.slice(0, operations)
    this.memory = this.make()
    this.failovers++
    this.claims.clear()
    this.committed.clear()
    for (const operation of this.journal) {
      if (operation.kind === 'claim') await this.memory.claim(operation.shard, operation.token)
      else await this.memory.commit(operation.shard, operation.commit)
    }
    return lost.flatMap((operation) =>
      operation.kind === 'commit' && operation.shard.startsWith('deliver/') ? [operation.commit] : [],
    )
  }

  async claim(shard: Shard, token: string): Promise<Claim> {
    const claim = await this.memory.claim(shard, token)
    this.claims.add(token)
    this.journal.push({ kind: 'claim', shard, token })
    return { ...claim, incarnation: `copy ${this.failovers}` }
  }

  async commit(shard: Shard, commit: Commit): Promise<number> {
    if (this.ends_claims && !this.claims.has(commit.token)) throw new Fenced(shard)
    const version = await this.memory.commit(shard, commit)
    this.journal.push({ kind: 'commit', shard, commit })
    const key = `${shard}@${commit.version}`
    const earlier = this.committed.get(key)
    if (earlier !== undefined)
      this.world.violate(
        '2: one commit for one version',
        `${shard}: version ${commit.version} was committed by ${earlier.slice(0, 8)} and by ${commit.token.slice(0, 8)}`,
      )
    this.committed.set(key, commit.token)
    return version
  }

  async all(shard: Shard): Promise<readonly Row[]> {
    return this.memory.read(shard, '')
  }

  async position(shard: Shard): Promise<Position | null> {
    return this.memory.position(shard)
  }

  client(host: Host): Store {
    return new StoreClient(this, this.world, host)
  }
}

class StoreClient implements Store {
  private readonly server: StoreServer
  private readonly world: World
  private readonly host: Host

  constructor(server: StoreServer, world: World, host: Host) {
    this.server = server
    this.world = world
    this.host = host
  }

  claim(shard: Shard, token: string): Promise<Claim> {
    return this.world.request(this.host, 'store', `claim ${shard} ${token.slice(0, 8)}`, () =>
      this.server.claim(shard, token),
    )
  }

  /** Page by page, in the order of the keys; what changes between two pages is seen or not, as with any cursor. */
  async *rows(shard: Shard): AsyncIterable<readonly Row[]> {
    const page_rows = this.world.random.between(1, 12)
    for (let after = ''; ; ) {
      const from = after
      if (this.world.random.chance(this.world.rates.slow_page))
        await this.host.clock.sleep(this.world.random.between(50, 1_500))
      const page = await this.world.request(this.host, 'store', `rows ${shard}`, async () => {
        const rows = (await this.server.all(shard)).filter(([key]) => key > from)
        return rows.sort(([a], [b]) => (a < b ? -1 : 1)).slice(0, page_rows)
      })
      if (page.length > 0) yield page
      if (page.length < page_rows) return
      after = page.at(-1)?.[0] ?? ''
    }
  }

  commit(shard: Shard, commit: Commit): Promise<number> {
    const what = `commit ${shard} v${commit.version} @${commit.position ?? 'start'} by ${commit.token.slice(0, 8)}`
    return this.world.request(this.host, 'store', what, () => this.server.commit(shard, commit))
  }

  read(shard: Shard, prefix: string): Promise<readonly Row[]> {
    return this.world.request(this.host, 'store', `read ${shard}`, async () =>
      (await this.server.all(shard)).filter(([key]) => key.startsWith(prefix)),
    )
  }

  position(shard: Shard): Promise<Position | null> {
    return this.world.request(this.host, 'store', `position ${shard}`, () => this.server.position(shard))
  }

  async ping(): Promise<void> {}

  async close(): Promise<void> {}
}

/** Takes every commit to a shard that somebody claimed. A deliberate defect. */
export class UnfencedStore extends MemoryStore {
  protected readonly heads = new Map<Shard, { token: string; version: number }>()

  override async claim(shard: Shard, token: string): Promise<Claim> {
    const claim = await super.claim(shard, token)
    this.heads.set(shard, { token, version: claim.version })
    return claim
  }

  override async commit(shard: Shard, commit: Commit): Promise<number> {
    const version = await super.commit(shard, { ...commit, ...this.checked(shard, commit) })
    this.heads.set(shard, { token: this.heads.get(shard)?.token ?? commit.token, version })
    return version
  }

  protected checked(shard: Shard, commit: Commit): { readonly token: string; readonly version: number } {
    return this.heads.get(shard) ?? commit
  }
}

/** Takes every commit of the newest owner, whatever version it follows. A deliberate defect. */
export class TokenOnlyStore extends UnfencedStore {
  protected override checked(
    shard: Shard,
    commit: Commit,
  ): { readonly token: string; readonly version: number } {
    return { token: commit.token, version: this.heads.get(shard)?.version ?? commit.version }
  }
}
