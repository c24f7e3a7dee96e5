import { describe, expect, it } from 'vitest'
import { Batch } from '../../analytics/batch.ts'
import { IncidentsRecorder } from '../../analytics/incidents_recorder.ts'
import type { IncidentState } from '../../schemas/incident.ts'
import { changeEntry, changeOf, incidentOf, NOON_MS } from './fixtures.ts'

const LIMITS = { remember_closed_ms: 1_000, incidents_max: 3 }

/** Entries of the incidents log: id, revision, state, milliseconds after noon. */
function fold(
  recorder: IncidentsRecorder,
  told: readonly (readonly [string, number, IncidentState, number])[],
): Batch {
  const batch = new Batch(0)
  for (const [id, revision, state, after_ms] of told) {
    recorder.add(
      0,
      changeEntry(0, changeOf(incidentOf(id, { revision, state, updated_at_ms: NOON_MS + after_ms }))),
      batch,
    )
  }
  recorder.forget(batch)
  return batch
}

const forgotten = (batch: Batch) =>
  [...batch.remembered].flatMap(([key, value]) => (value === null ? [key] : []))
const changes = (batch: Batch) =>
  batch.inserts().find(({ table }) => table === 'incident_changes')?.lines.length ?? 0

describe('what is remembered of incidents', () => {
  it('goes when a closed one was quiet for long, and stays while one is open', () => {
    const recorder = new IncidentsRecorder(LIMITS)
    expect(
      forgotten(
        fold(recorder, [
          ['open', 1, 'open', 0],
          ['closed', 1, 'resolved', 0],
          ['late', 1, 'merged', 900],
        ]),
      ),
    ).toEqual([])
    expect(forgotten(fold(recorder, [['late', 2, 'merged', 1_500]]))).toEqual(['r/closed'])
    expect(
      changes(
        fold(recorder, [
          ['open', 1, 'open', 1_500],
          ['late', 2, 'merged', 1_500],
        ]),
      ),
    ).toBe(0)
  })

  it('is bounded: closed ones go first, then those that changed longest ago', () => {
    const recorder = new IncidentsRecorder(LIMITS)
    fold(recorder, [
      ['a', 1, 'open', 0],
      ['b', 1, 'resolved', 1],
      ['c', 1, 'open', 2],
    ])
    expect(forgotten(fold(recorder, [['d', 1, 'open', 3]]))).toEqual(['r/b'])
    expect(
      forgotten(
        fold(recorder, [
          ['a', 2, 'open', 4],
          ['e', 1, 'open', 5],
        ]),
      ),
    ).toEqual(['r/c'])
  })

  it('is the same after it was stored and given back in any order', () => {
    const before = new IncidentsRecorder(LIMITS)
    const stored = fold(before, [
      ['a', 1, 'open', 0],
      ['b', 4, 'open', 1],
      ['c', 1, 'open', 2],
    ]).remembered
    const after = new IncidentsRecorder(LIMITS)
    for (const [key, value] of [...stored].reverse()) after.restore(key, value as Buffer)
    after.restored()
    const batch = fold(after, [
      ['b', 4, 'open', 1],
      ['b', 5, 'open', 3],
      ['d', 1, 'open', 4],
    ])
    expect(changes(batch)).toBe(2)
    expect(forgotten(batch)).toEqual(['r/a'])
  })
})
