import type { Text } from '../metrics/metric.ts'
import { figuresTable } from './cells.ts'
import { Lists, type Value } from './lists.ts'
import { type Language, note, page, section } from './page.ts'
import type { ReportScope, ReportSource } from './source.ts'

const FIGURES = ['dispatch_accuracy', 'escalated', 'time_to_acknowledge', 'time_to_resolve']

const TEXTS = {
  title: { en: 'Dispatch report', zh: '派单报告' },
  figures: { en: 'Figures', zh: '指标' },
  matrix: { en: 'First assignee against who had it at the end', zh: '首次指派与最终负责人' },
  matrix_head: { en: 'First|Last|Incidents', zh: '首次指派|最终负责人|事件数' },
  flow: { en: 'Who handed on to whom', zh: '转派流向' },
  flow_head: { en: 'From|To|Times|Held before (median)', zh: '转出|转入|次数|持有时长（中位数）' },
  lines: { en: 'Support lines', zh: '支持线' },
  lines_head: { en: 'Line|Incidents|Time there (median)', zh: '支持线|事件数|停留时长（中位数）' },
  none: { en: 'None recorded.', zh: '无记录。' },
} as const satisfies Record<string, Text>

/** Whether incidents went to whom they belonged, and where they went instead. */
export async function dispatchPage(
  source: ReportSource,
  scope: ReportScope,
  language: Language,
): Promise<string> {
  const lists = new Lists(TEXTS, language, scope.tz)
  const figures = await Promise.all(FIGURES.map((name) => source.figures(name)))
  const [matrix = [], flow = [], lines = []] = await Promise.all(
    ['dispatch', 'flow', 'support-lines'].map((name) => source.rows(name)),
  )
  const pair = (from: Value, to: Value, incidents: Value) => [
    lists.text(from),
    lists.text(to),
    lists.count(incidents),
  ]
  const first_last = matrix.map((row) => pair(row['first'], row['last'], row['incidents']))
  const handed = flow.map((row) => [
    ...pair(row['from'], row['to'], row['incidents']),
    lists.duration(row['held_ms']),
  ])
  const dwelt = lines.map((row) => [
    lists.text(row['line']),
    lists.count(row['incidents']),
    lists.duration(row['dwell_ms']),
  ])
  const title = `${lists.say('title')} ${lists.time(scope.period.from_ms)} – ${lists.time(scope.period.to_ms)}`
  return page(language, title, [
    note(scope.tz),
    section(lists.say('figures'), figuresTable(figures, language)),
    lists.section('matrix', 'matrix_head', 2, first_last),
    lists.section('flow', 'flow_head', 2, handed),
    lists.section('lines', 'lines_head', 1, dwelt),
  ])
}
