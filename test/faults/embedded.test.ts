import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { seeded } from '../../bench/load/random.ts'
import { Embedded } from '../installation/embedded.ts'
import { type Fault, FaultProxy } from '../installation/fault_proxy.ts'
import { pause, until } from '../installation/processes.ts'
import { faultSizes } from '../services/index.ts'
import { temporaryFolder } from '../services/runner.ts'
import { damageWal, WAL_DAMAGES } from './wal.ts'

const { kills, outage_ms, seed } = faultSizes()
const TIMEOUT_MS = 3_600_000
/** Of kills: these come while the process is still starting. */
const EARLY_SHARE = 0.25
const DISK_BYTES = 160 * 1024 * 1024
const BALLAST_PIECE_BYTES = 64 * 1024

/** Kills it at random moments, most of them under load and some while it starts again. */
async function killAgainAndAgain({ tocsin, sender }: Embedded): Promise<void> {
  const random = seeded(seed)
  for (let kill = 0; kill < kills; kill++) {
    if (random() < EARLY_SHARE) await pause(1_000 * random())
    else {
      const { ok } = sender.answers
      await until('alerts are acknowledged', () => sender.answers.ok > ok + 10)
      await pause(1_500 * random())
    }
    await tocsin.kill9()
    tocsin.launch()
  }
}

/** Fills the disk to its last byte, again and again until the signal comes. */
async function keepFull(ballast: string, signal: AbortSignal): Promise<void> {
  const descriptor = openSync(ballast, 'a')
  while (!signal.aborted) {
    for (let bytes = BALLAST_PIECE_BYTES; bytes >= 1; ) {
      try {
        writeSync(descriptor, Buffer.alloc(bytes))
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
        bytes = Math.floor(bytes / 2)
      }
    }
    await pause(50)
  }
  closeSync(descriptor)
}

const SINK_FAULTS: Readonly<Record<string, Fault>> = {
  fails: { kind: 'answer', status: 500 },
  asks_for_silence: { kind: 'answer', status: 429, headers: { 'retry-after': '1' } },
  hangs: { kind: 'hang' },
  drops: { kind: 'drop' },
  does_and_drops: { kind: 'drop-after' },
}
const SINK_FAULT_SHARE = 0.5

/** Something of which faults befall half of the requests that go through it, with how often each did. */
function sinkFaults(): { readonly befallen: Record<string, number>; readonly choose: () => Fault | null } {
  const random = seeded(seed)
  const befallen: Record<string, number> = {}
  const choose = () => {
    if (random() >= SINK_FAULT_SHARE) return null
    const all = Object.entries(SINK_FAULTS)
    const [name, fault] = all[Math.floor(random() * all.length)] as [string, Fault]
    befallen[name] = (befallen[name] ?? 0) + 1
    return fault
  }
  return { befallen, choose }
}

/** The file as it was, in one way or another not as it should be. */
const DAMAGES: Readonly<Record<string, (path: string, whole: Buffer) => void>> = {
  'its header overwritten': (path, whole) =>
    writeFileSync(path, Buffer.concat([randomBytes(100), whole.subarray(100)])),
  'its second half overwritten': (path, whole) => {
    const middle = Math.floor(whole.length / 2)
    writeFileSync(path, Buffer.concat([whole.subarray(0, middle), randomBytes(whole.length - middle)]))
  },
  'its second half missing': (path, whole) => truncateSync(path, Math.floor(whole.length / 2)),
  'nothing left in it': (path) => truncateSync(path, 0),
}

describe.concurrent('an embedded tocsin under load loses and doubles nothing', {
  timeout: TIMEOUT_MS,
}, () => {
  it(`when it is killed ${kills} times (seed ${seed})`, async ({ annotate, onTestFinished }) => {
    const embedded = await Embedded.start({ seed })
    onTestFinished(() => embedded.remove())
    const { sender } = embedded
    sender.start()
    const began_ms = Date.now()
    await killAgainAndAgain(embedded)
    const seconds = (Date.now() - began_ms) / 1_000
    const figures = await embedded.expectFaultless()
    expect(sender.answers.none).toBeGreaterThan(0)
    await annotate(JSON.stringify({ kills, seconds, ...figures, answers: sender.answers }))
  })

  it('when it ends because it was asked to', async ({ onTestFinished }) => {
    const embedded = await Embedded.start({ seed })
    onTestFinished(() => embedded.remove())
    const { tocsin, sender } = embedded
    sender.start()
    await until('alerts are acknowledged', () => sender.answers.ok > 20)
    // Its own bound for a clean end is 9 seconds, and its status is another when that has passed.
    expect(await tocsin.stop()).toBe(0)
    await tocsin.start()
    expect((await embedded.expectFaultless()).incidents).toBeGreaterThan(0)
  })

  it('when its ClickHouse dies', async ({ onTestFinished }) => {
    const embedded = await Embedded.start({ seed })
    onTestFinished(() => embedded.remove())
    const { tocsin, sender } = embedded
    const killed = await until('ClickHouse runs', () => tocsin.clickhousePid())
    sender.start()
    await until('alerts are acknowledged', () => sender.answers.ok > 20)
    process.kill(killed, 'SIGKILL')
    const { ok } = sender.answers
    await until('alerts are acknowledged meanwhile', () => sender.answers.ok > ok + 10)
    const again = await until('ClickHouse runs again', () => tocsin.clickhousePid())
    expect(again).not.toBe(killed)
    expect((await embedded.expectFaultless()).incidents).toBeGreaterThan(0)
    expect(sender.answers).toMatchObject({ unavailable: 0, other: 0, none: 0 })
  })

  it(`while webhook and ticket system fail, hang and drop connections (seed ${seed})`, async ({
    annotate,
    onTestFinished,
  }) => {
    const proxies: FaultProxy[] = []
    const faults: Record<string, number>[] = []
    const between = async (url: string) => {
      const proxy = await FaultProxy.start(url)
      onTestFinished(() => proxy.close())
      const { befallen, choose } = sinkFaults()
      proxy.storm(choose)
      proxies.push(proxy)
      faults.push(befallen)
      return proxy.url
    }
    const embedded = await Embedded.start({ seed, between })
    onTestFinished(() => embedded.remove())
    embedded.sender.start()
    const every = Object.keys(SINK_FAULTS).length
    await until('every fault befell both', () => faults.every((one) => Object.keys(one).length === every))
    await pause(outage_ms)
    for (const proxy of proxies) proxy.reset()
    const figures = await embedded.expectFaultless()
    expect(embedded.sender.answers).toMatchObject({ unavailable: 0, other: 0, none: 0 })
    await annotate(JSON.stringify({ outage_ms, webhook: faults[0], ticket_system: faults[1], ...figures }))
  })

  it('when its disk is full for a while, and goes on by itself', async ({
    annotate,
    onTestFinished,
    skip,
  }) => {
    const folder = await temporaryFolder('disk')
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'tmpfs', folder], { stdio: 'pipe' })
    } catch (error) {
      skip(`no file system may be mounted here: ${String(error)}`)
    }
    onTestFinished(() => void execFileSync('umount', [folder]))
    const data_dir = join(folder, 'data')
    mkdirSync(data_dir)
    const embedded = await Embedded.start({ seed, data_dir })
    onTestFinished(() => embedded.remove())
    const { sender, tocsin } = embedded
    sender.start()
    await until('alerts are acknowledged', () => sender.answers.ok > 30)
    const { pid } = tocsin
    const ballast = join(folder, 'ballast')
    const emptied = new AbortController()
    onTestFinished(() => emptied.abort())
    const filling = keepFull(ballast, emptied.signal)
    await until('senders are asked to come again', () => sender.answers.unavailable > 20)
    await pause(outage_ms)
    emptied.abort()
    await filling
    rmSync(ballast)
    const { ok } = sender.answers
    await until('alerts are acknowledged again', () => sender.answers.ok > ok + 20)
    const figures = await embedded.expectFaultless()
    expect(tocsin.pid).toBe(pid)
    expect(sender.answers).toMatchObject({ other: 0, none: 0 })
    await annotate(JSON.stringify({ outage_ms, ...figures, answers: sender.answers }))
  })

  it(`when a kill left its write-ahead log with ${WAL_DAMAGES.join(', ')}`, async ({ onTestFinished }) => {
    const embedded = await Embedded.start({ seed })
    onTestFinished(() => embedded.remove())
    const { tocsin, sender } = embedded
    for (const damage of WAL_DAMAGES) {
      const { ok } = sender.answers
      sender.start()
      await until('alerts are acknowledged', () => sender.answers.ok > ok + 10)
      // Everything that was sent is acknowledged now: none of it may be among what is damaged.
      await sender.stop()
      await tocsin.kill9()
      damageWal(join(tocsin.data_dir, 'tocsin.db-wal'), damage)
      await tocsin.start()
    }
    expect((await embedded.expectFaultless()).incidents).toBeGreaterThan(0)
  })

  it('when its database file was damaged and restored; it says so and touches nothing', async ({
    onTestFinished,
  }) => {
    const embedded = await Embedded.start({ seed })
    onTestFinished(() => embedded.remove())
    const { tocsin, sender } = embedded
    const path = join(tocsin.data_dir, 'tocsin.db')
    sender.start()
    await until('alerts are acknowledged', () => sender.answers.ok > 20)
    await sender.stop()
    expect(await tocsin.stop()).toBe(0)
    const whole = readFileSync(path)
    for (const [what, damage] of Object.entries(DAMAGES)) {
      writeFileSync(path, whole)
      damage(path, whole)
      const left = readFileSync(path)
      await expect(tocsin.start(), what).rejects.toThrow(
        /status 2:[^]* is damaged: [^]*restore it from a backup/,
      )
      expect(readFileSync(path).equals(left), `${what}: left as it was found`).toBe(true)
    }
    writeFileSync(path, whole)
    await tocsin.start()
    expect((await embedded.expectFaultless()).incidents).toBeGreaterThan(0)
  })
})
