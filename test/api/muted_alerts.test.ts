import { describe, expect, it } from 'vitest'
import { toGettableAlert, wantsAlert } from '../../api/alertmanager/alerts.ts'
import type { AlertRow } from '../../correlate/state.ts'
import { anAlert } from '../correlate/timeline.ts'

const muted = (...silenced_by: string[]) =>
  ({ alert: anAlert({}), expires_at_ms: 0, updated_at_ms: 0, silenced_by }) as unknown as AlertRow
const ALL = { active: true, silenced: true, inhibited: true, muted: true }
const wanted = (query: Partial<typeof ALL>, row: AlertRow) =>
  wantsAlert({ ...ALL, ...query }, () => true, row, 0)

describe('what mutes an alert, in the words of Alertmanager', () => {
  it('is told by what it is', () => {
    const row = muted('0b9d', 'dependency:behind', 'maintenance:move', 'shelf:ada')
    expect(toGettableAlert(row).status).toEqual({
      state: 'suppressed',
      silencedBy: ['0b9d'],
      inhibitedBy: ['behind'],
      mutedBy: ['move', 'shelf:ada'],
    })
    expect(toGettableAlert(muted()).status.state).toBe('active')
  })

  it('is left out by the parameter of its kind and by no other', () => {
    const kinds = { silenced: muted('0b9d'), inhibited: muted('dependency:x'), muted: muted('maintenance:x') }
    for (const [kind, row] of Object.entries(kinds)) {
      expect([kind, wanted({}, row)]).toEqual([kind, true])
      for (const off of ['active', 'silenced', 'inhibited', 'muted'])
        expect([kind, off, wanted({ [off]: false }, row)]).toEqual([kind, off, off !== kind])
    }
    expect(wanted({ active: false }, muted())).toBe(false)
  })
})
