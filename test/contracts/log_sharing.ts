import { describe, expect, it } from 'vitest'
import type { Log } from '../../runtime/ports.ts'
import { readFrom, subscribe, subscribeAlone, texts } from './owner.ts'
import { eventually, fresh, LONG_WAIT_MS } from './wait.ts'

/** How subscribers of a group share a topic. */
export function sharingContract(log: () => Log): void {
  const value = (text: string, partition: number) =>
    ({ topic: 'alerts', partition, value: Buffer.from(text) }) as const

  describe('subscribers', () => {
    it('of one group share the partitions, and hand them over', async () => {
      const group = fresh('shared')
      const all = Array.from({ length: log().partitions('alerts') }, (_, partition) => partition)
      const first = await subscribeAlone(log(), 'alerts', group)
      const readers = new Map(first.owner.readers)
      const ends = (await log().bounds('alerts')).map((bound) => bound.next)
      for (const [partition, reader] of readers) await reader.seek(ends[partition] ?? -1)
      const polls = new Map(
        [...readers].map(([partition, reader]) => [partition, reader.poll(10, LONG_WAIT_MS)]),
      )

      const second = await subscribe(log(), 'alerts', group)
      await eventually('two subscribers own everything between them, half each', () => {
        const owned = [...first.owner.owned(), ...second.owner.owned()].sort((a, b) => a - b)
        return (
          owned.join() === all.join() && Math.abs(first.owner.readers.size - second.owner.readers.size) <= 1
        )
      })
      expect(first.owner.losses).toEqual(expect.arrayContaining(second.owner.owned()))

      const moved = second.owner.owned()[0] ?? -1
      expect(await polls.get(moved), 'a poll that waits while its partition is lost').toEqual([])
      const [position = -1] = await log().append([value('after the move', moved)])
      expect(await readers.get(moved)?.poll(10, 0), 'a poll after the partition was lost').toEqual([])
      expect(texts(await readFrom(second.owner.reader(moved), position, 1))).toEqual(['after the move'])

      const owned_by_second = second.owner.owned()
      await second.subscription.close()
      expect(second.owner.losses).toEqual(expect.arrayContaining(owned_by_second))
      await eventually(
        'the one that stays owns everything again',
        () => first.owner.owned().join() === all.join(),
      )
      expect(texts(await readFrom(first.owner.reader(moved), position, 1))).toEqual(['after the move'])

      const reader = first.owner.reader(moved)
      await first.subscription.close()
      expect(first.owner.owned()).toEqual([])
      expect(await reader.poll(10, LONG_WAIT_MS)).toEqual([])
    })

    it('of different groups each get everything', async () => {
      const [one, two] = await Promise.all([
        subscribeAlone(log(), 'alerts', fresh('one')),
        subscribeAlone(log(), 'alerts', fresh('two')),
      ])
      const positions = await log().append([value('for all 1', 1), value('for all 2', 1)])
      for (const { owner } of [one, two]) {
        expect(texts(await readFrom(owner.reader(1), positions[0] ?? -1, 2))).toEqual([
          'for all 1',
          'for all 2',
        ])
      }
      await one.subscription.close()
      expect(two.owner.losses).toEqual([])
      await two.subscription.close()
    })

    it('of one group and two topics each own all of their topic', async () => {
      const group = fresh('topics')
      const [alerts, incidents] = await Promise.all([
        subscribeAlone(log(), 'alerts', group),
        subscribeAlone(log(), 'incidents', group),
      ])
      expect(alerts.owner.losses).toEqual([])
      expect(incidents.owner.losses).toEqual([])
      await alerts.subscription.close()
      await incidents.subscription.close()
    })
  })
}
