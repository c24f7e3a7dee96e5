import { describe, expect, test } from 'vitest'
import {
  type Background,
  BACKGROUND_LIMITS,
  EMPTY_BACKGROUND,
  learn,
  usual,
} from '../../correlate/rank/background.ts'
import { after, alerting, learned } from './rank_world.ts'

const HOUR = 3_600_000
const MINUTE = 60_000

describe('what is usual', () => {
  test('grows with every incident that has it and fades with every one that does not', () => {
    const ill = [alerting('a', ['DiskFull'])]
    const other = [alerting('b', ['Slow'])]
    const once = usual(after(ill), 'a', 'DiskFull')
    const twice = usual(after(ill, ill), 'a', 'DiskFull')
    const faded = usual(after(ill, ill, other), 'a', 'DiskFull')
    expect(once).toBeGreaterThan(0)
    expect(twice).toBeGreaterThan(once)
    expect(faded).toBeLessThan(twice)
    expect(faded).toBeGreaterThan(0)
    expect(usual(after(ill), 'a', 'Slow')).toBe(0)
    expect(usual(after(ill), 'b', 'DiskFull')).toBe(0)
  })

  test('never exceeds the episodes that were learned, which are bounded by their fading', () => {
    const always = after(...Array.from({ length: 300 }, () => [alerting('a', ['DiskFull'])]))
    expect(usual(always, 'a', 'DiskFull')).toBeCloseTo(always.head.episodes, 9)
    expect(always.head.episodes).toBeLessThan(4)
  })

  test('an incident that ended in fragments within minutes counts once', () => {
    const fragment = [alerting('a', ['DiskFull'])]
    const whole = learned(EMPTY_BACKGROUND, fragment, HOUR)
    const pieces = [1, 2, 3].reduce<Background>(
      (background, minutes) => learned(background, fragment, HOUR + minutes * MINUTE),
      whole,
    )
    expect(pieces).toEqual(whole)
    expect(usual(learned(whole, fragment, 2 * HOUR), 'a', 'DiskFull')).toBeGreaterThan(
      usual(whole, 'a', 'DiskFull'),
    )
  })

  test('the rows of an incident say all that changed, and survive JSON', () => {
    const incident = [alerting('a', ['X', 'Y']), alerting('b', ['X'])]
    const { head, changed, forgotten } = learn(after(incident), incident, 9 * HOUR)
    expect(changed.map(({ entity }) => entity)).toEqual(['a', 'b'])
    expect(forgotten).toEqual([])
    expect(JSON.parse(JSON.stringify({ head, changed }))).toEqual({ head, changed })
  })
})

describe('bounds', () => {
  test('an entity keeps what it had most and last', () => {
    const chronic = alerting('a', ['DiskFull'])
    const many = alerting(
      'a',
      Array.from({ length: 100 }, (_, i) => `Alert${i}`),
    )
    const background = after([chronic], [chronic], [many], [chronic])
    expect(background.habits.get('a')?.names).toHaveLength(BACKGROUND_LIMITS.alertnames_per_entity)
    expect(usual(background, 'a', 'DiskFull')).toBeGreaterThan(1)
  })

  test('an alertname that did not come for long is forgotten', () => {
    const quiet = Array.from({ length: 20 }, () => [alerting('a', ['Slow'])])
    const background = after([alerting('a', ['DiskFull'])], ...quiet)
    expect(background.habits.get('a')?.names.map(({ alertname }) => alertname)).toEqual(['Slow'])
  })

  test('when full, those entities are forgotten whose last incident is the longest ago', () => {
    const part = BACKGROUND_LIMITS.entities / 10
    const batches = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map((b) =>
      Array.from({ length: part }, (_, i) => alerting(`e-${b}-${i}`, ['Slow'])),
    )
    const full = after(...batches)
    expect(full.habits.size).toBe(BACKGROUND_LIMITS.entities)
    const more = learned(full, [alerting('new', ['Slow'])], 100 * HOUR)
    expect(more.habits.size).toBeLessThanOrEqual(BACKGROUND_LIMITS.entities)
    expect(more.habits.has('new')).toBe(true)
    expect(more.habits.has('e-9-0')).toBe(true)
    expect(more.habits.has('e-0-0')).toBe(false)
  })

  test('what is forgotten follows from the rows, not from the order in which they were loaded', () => {
    const rows = Array.from({ length: BACKGROUND_LIMITS.entities }, (_, i) => alerting(`e-${i}`, ['Slow']))
    const full = after(rows)
    const loaded: Background = { head: full.head, habits: new Map([...full.habits].reverse()) }
    const incident = [alerting('new', ['Slow'])]
    expect(learn(loaded, incident, 9 * HOUR)).toEqual(learn(full, incident, 9 * HOUR))
  })
})
