import { estimateText, valueText } from './cells.ts'
import { type Due, DUE_COUNTED_MAX, type Monthly } from './monthly.ts'
import type { Language } from './page.ts'

const due = ({ total }: Due) => (total === null ? `≥${DUE_COUNTED_MAX}` : String(total))

/** The month in sentences; what no figure supports is not said. */
export function summaryOf(report: Monthly, language: Language): string[] {
  const of = (name: string) => report.figures.find(({ metric }) => metric.name === name)
  const group = (name: string) => of(name)?.groups[0]
  const shown = (name: string) => {
    const found = of(name)
    return found === undefined ? '' : estimateText(found.metric, found.groups[0], language)
  }
  const verdict = (name: string) => group(name)?.compared?.verdict.text[language] ?? ''
  const resolve = group('time_to_resolve')
  const counts = {
    incidents: Math.round(group('incidents_per_day')?.n ?? 0),
    before: Math.round(group('incidents_per_day')?.compared?.n ?? 0),
    open: resolve?.duration?.open ?? 0,
    never: valueText('share', group('never_acknowledged')?.value, language),
  }
  if (counts.incidents === 0) return [language === 'zh' ? '本月没有事件。' : 'There were no incidents.']
  const worst = report.services[0]
  const recurring = report.recurrence[0]
  return language === 'zh'
    ? [
        `本月新建事件 ${counts.incidents} 个（上月 ${counts.before} 个）：${verdict('incidents_per_day')}。`,
        `解决时间中位数 ${shown('time_to_resolve')}，仍有 ${counts.open} 个未解决；与上月相比：${verdict('time_to_resolve')}。`,
        `首次人工确认时间中位数 ${shown('time_to_acknowledge')}；${counts.never} 的已解决事件从未被人工确认。`,
        `SLA 达成率 ${shown('sla_attainment')}：${verdict('sla_attainment')}。服务响应及时率 ${shown('response_timeliness')}：${verdict('response_timeliness')}。`,
        ...(worst
          ? [
              `累计未解决时间最长的服务：${worst.service || '–'}（${valueText('ms', worst.down_ms, language)}，${worst.resolve.n} 个事件）。`,
            ]
          : []),
        ...(recurring
          ? [
              `重复最多的问题：${String(recurring['alertname'])}（${String(recurring['entity'])}），${String(recurring['incidents'])} 个事件。`,
            ]
          : []),
        `待办：${due(report.overdue)} 个事件已超时未解决，${due(report.unreviewed)} 个未按时复盘。`,
      ]
    : [
        `${counts.incidents} incidents were opened (${counts.before} the month before): ${verdict('incidents_per_day')}.`,
        `Half were resolved within ${shown('time_to_resolve')}; ${counts.open} are still open. Against the month before: ${verdict('time_to_resolve')}.`,
        `Half were acknowledged by a person within ${shown('time_to_acknowledge')}; of the resolved, ${counts.never} never were.`,
        `Resolved in time: ${shown('sla_attainment')}; ${verdict('sla_attainment')}. Answered in time: ${shown('response_timeliness')}; ${verdict('response_timeliness')}.`,
        ...(worst
          ? [
              `The service with most time open was ${worst.service || '–'}: ${valueText('ms', worst.down_ms, language)} in ${worst.resolve.n} incidents.`,
            ]
          : []),
        ...(recurring
          ? [
              `What came back most: ${String(recurring['alertname'])} on ${String(recurring['entity'])}, ${String(recurring['incidents'])} incidents.`,
            ]
          : []),
        `Due: ${due(report.overdue)} incidents are open beyond their target, ${due(report.unreviewed)} wait for their review.`,
      ]
}
