import type { Text, Unit } from '../metrics/metric.ts'
import { COMPARED_MIN, type Estimate } from './interval.ts'
import { difference as differenceText } from './words.ts'

export const VERDICTS = ['no-evidence', 'lower', 'higher', 'withheld', 'not-reached'] as const
export type VerdictCode = (typeof VERDICTS)[number]

/** What a comparison of two periods comes to. */
export interface Verdict {
  readonly code: VerdictCode
  readonly difference: Estimate | null
  readonly text: Text
}

/** Says whether a figure changed, and no more than the interval allows. `n`: before and after. */
export function verdictOf(
  unit: Unit,
  n: readonly [before: number, after: number],
  difference: () => Estimate | null,
): Verdict {
  const [before, after] = n
  const counts = `n ${after}/${before}`
  if (Math.min(before, after) < COMPARED_MIN) {
    return {
      code: 'withheld',
      difference: null,
      text: {
        en: `withheld: fewer than ${COMPARED_MIN} (${counts})`,
        zh: `不予比较：样本少于 ${COMPARED_MIN}（${counts}）`,
      },
    }
  }
  const found = difference()
  if (found === null) {
    return {
      code: 'not-reached',
      difference: null,
      text: {
        en: `not compared: too few came to the event for a median (${counts})`,
        zh: `无法比较：发生该结果的样本太少，中位数未达到（${counts}）`,
      },
    }
  }
  const code = found.low > 0 ? 'higher' : found.high < 0 ? 'lower' : 'no-evidence'
  const what = WORDS[unit === 'ms' ? 'duration' : 'figure'][code]
  const shown = differenceText(unit, found)
  return {
    code,
    difference: found,
    text: { en: `${what.en} (${shown.en}; ${counts})`, zh: `${what.zh}（${shown.zh}；${counts}）` },
  }
}

const NO_EVIDENCE: Text = { en: 'no evidence of change', zh: '无变化证据' }
const WORDS = {
  duration: {
    'no-evidence': NO_EVIDENCE,
    lower: { en: 'shorter', zh: '缩短' },
    higher: { en: 'longer', zh: '延长' },
  },
  figure: {
    'no-evidence': NO_EVIDENCE,
    lower: { en: 'lower', zh: '降低' },
    higher: { en: 'higher', zh: '升高' },
  },
} as const
