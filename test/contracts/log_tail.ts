import { afterEach, describe, expect, it } from 'vitest'
import type { Log, LogEntry, Position, Subscription } from '../../runtime/ports.ts'
import { texts } from './owner.ts'
import { eventually } from './wait.ts'

/** How a live view follows a topic. */
export function tailContract(log: () => Log): void {
  const append = (partition: number, ...values: string[]): Promise<readonly Position[]> =>
    log().append(values.map((value) => ({ topic: 'incidents', partition, value: Buffer.from(value) })))
  const ends = async (): Promise<Position[]> => (await log().bounds('incidents')).map((bound) => bound.next)

  describe('a tail', () => {
    const open: Subscription[] = []
    afterEach(async () => {
      for (const subscription of open.splice(0)) await subscription.close()
    })

    async function tail(
      from: readonly Position[],
      while_given?: () => Promise<void>,
    ): Promise<Map<number, LogEntry[]>> {
      const seen = new Map<number, LogEntry[]>()
      const subscription = await log().tail('incidents', from, async (partition, entries) => {
        seen.set(partition, [...(seen.get(partition) ?? []), ...entries])
        await while_given?.()
      })
      open.push(subscription)
      return seen
    }

    it('begins at the given positions and goes on with what comes', async () => {
      const start = await ends()
      const [, second = -1] = await append(0, 'skipped', 'from here')
      await append(1, 'other partition')
      const seen = await tail(start.with(0, second))
      await eventually('what was there', () => seen.get(0)?.length === 1 && seen.get(1)?.length === 1)
      await append(0, 'live 1')
      await append(0, 'live 2')
      await eventually('what came', () => seen.get(0)?.length === 3)
      expect(texts(seen.get(0) ?? [])).toEqual(['from here', 'live 1', 'live 2'])
      expect(texts(seen.get(1) ?? [])).toEqual(['other partition'])
      expect(new Set(seen.keys())).toEqual(new Set([0, 1]))
    })

    it('gives no more of a partition until the last was dealt with', async () => {
      const gate = Promise.withResolvers<undefined>()
      const seen = await tail(await ends(), () => gate.promise)
      const control = await tail(await ends())
      await append(2, 'first')
      await eventually('the first', () => seen.get(2)?.length === 1)
      await append(2, 'second')
      await append(3, 'another partition')
      await eventually(
        'all, for one that takes them at once',
        () => control.get(2)?.length === 2 && control.get(3)?.length === 1,
      )
      expect(texts(seen.get(2) ?? [])).toEqual(['first'])
      gate.resolve(undefined)
      await eventually('the second', () => seen.get(2)?.length === 2)
      expect(texts(seen.get(2) ?? [])).toEqual(['first', 'second'])
    })

    it('gives every tail everything, and nothing after its close', async () => {
      const start = await ends()
      const [closed, other] = [await tail(start), await tail(start)]
      await append(4, 'for both')
      await eventually('both saw it', () => closed.get(4)?.length === 1 && other.get(4)?.length === 1)
      await open[0]?.close()
      await append(4, 'for one')
      await eventually('the open one saw it', () => other.get(4)?.length === 2)
      expect(texts(closed.get(4) ?? [])).toEqual(['for both'])
    })
  })
}
