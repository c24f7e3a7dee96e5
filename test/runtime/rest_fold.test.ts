import { expect, it } from 'vitest'
import type { Step } from '../../runtime/fold.ts'
import type { LogEntry } from '../../runtime/ports.ts'
import { RestFold } from '../../runtime/rest_fold.ts'
import type { Change } from '../../schemas/change.ts'
import { encodeChange } from '../../schemas/codec.ts'
import { decodeDetectRecord } from '../../schemas/detect.ts'
import { partitionOf } from '../../schemas/ids.ts'
import { change } from '../notify/changes.ts'

const PARTITIONS = 8
const fold = () => new RestFold({ entity_labels: ['machine'], samples_partitions: PARTITIONS })
const entry = (of: Change, position: number): LogEntry => ({
  position,
  time_ms: of.at_ms,
  value: encodeChange(of),
  headers: {},
})
const told = ({ publish }: Step) =>
  publish.map(({ topic, partition, value }) => ({ topic, partition, ...decodeDetectRecord(value) }))

const device = '7:plant-1pump-7'
const expected = (resting: boolean) => ({
  topic: 'samples',
  partition: partitionOf(device, PARTITIONS),
  kind: 'rest',
  id: 'inc_0123456789abcdef0123',
  device,
  resting,
})

it('tells the device of an incident once that it is ill, and once that this is over', () => {
  const rest = fold()
  expect(told(rest.fold([entry(change('opened', 1), 0), entry(change('grown', 2), 1)]))).toEqual([
    expected(true),
  ])
  expect(told(rest.fold([entry(change('acknowledged', 3, { state: 'acknowledged' }), 2)]))).toEqual([])
  expect(told(rest.fold([entry(change('resolved', 4, { state: 'resolved' }), 3)]))).toEqual([expected(false)])
  expect(told(rest.fold([entry(change('reviewed', 5, { state: 'reviewed' }), 4)]))).toEqual([])
  expect(told(rest.fold([entry(change('reopened', 6), 5)]))).toEqual([expected(true)])
})

it('knows after a restart what it told', () => {
  const { put } = fold().fold([entry(change('opened', 1), 0)])
  const restarted = fold()
  for (const [key, value] of put) restarted.restore(key, value)
  const { publish, delete: gone } = restarted.fold([entry(change('resolved', 2, { state: 'resolved' }), 1)])
  expect(publish).toHaveLength(1)
  expect([...gone]).toEqual([...put.keys()])
})

it('tells nothing of alerts that name no device', () => {
  const of = change('opened', 1)
  const members = of.incident.members.map((member) => ({ ...member, labels: { alertname: 'Plain' } }))
  expect(told(fold().fold([entry(change('opened', 1, { members }), 0)]))).toEqual([])
})
