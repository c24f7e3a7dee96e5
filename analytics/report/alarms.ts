import type { Text } from '../metrics/metric.ts'
import { figuresTable, valueText } from './cells.ts'
import { Lists, type Value } from './lists.ts'
import { type Html, type Language, note, page, section } from './page.ts'
import type { ReportScope, ReportSource, TableRow } from './source.ts'

const FIGURES = [
  'alarm_rate',
  'flood_time',
  'chattering',
  'stale_alarms',
  'top_ten_share',
  'high_priority_share',
  'alarm_duration',
]

const TEXTS = {
  title: { en: 'Alarm system report', zh: '报警系统报告' },
  figures: { en: 'Figures of ISA-18.2', zh: 'ISA-18.2 指标' },
  sites: { en: 'Alarm rate by site and line', zh: '各站点与产线的报警率' },
  sites_head: { en: 'Site|Line|Alarms in 10 min', zh: '站点|产线|10 分钟报警数' },
  priorities: { en: 'Priorities', zh: '优先级分布' },
  priorities_head: { en: 'Severity|Activations|Share', zh: '严重程度|激活次数|占比' },
  priorities_note: {
    en: 'ISA-18.2 holds low 80 %, medium 15 %, high and critical 5 % for usual.',
    zh: 'ISA-18.2 参考：低 80%、中 15%、高与严重 5%。',
  },
  frequent: { en: 'Most frequent', zh: '最频繁的报警' },
  frequent_head: {
    en: 'Alarm|Entity|Severity|Activations|Share|Chattering',
    zh: '报警|对象|严重程度|激活次数|占比|颤振',
  },
  floods: { en: 'Floods', zh: '报警泛滥' },
  floods_head: { en: 'Begin|Duration|Activations|Most in 10 min', zh: '开始|时长|激活次数|10 分钟峰值' },
  standing: { en: 'Standing', zh: '持续中的报警' },
  standing_head: {
    en: 'Alarm|Entity|Severity|On since|Standing for',
    zh: '报警|对象|严重程度|激活时间|已持续',
  },
  none: { en: 'None.', zh: '无。' },
} as const satisfies Record<string, Text>

/** The KPIs of an alarm system over a period, and what to do something about. */
export async function alarmsPage(
  source: ReportSource,
  scope: ReportScope,
  language: Language,
): Promise<string> {
  const lists = new Lists(TEXTS, language, scope.tz)
  const figures = await Promise.all(FIGURES.map((name) => source.figures(name)))
  const rate = await source.figures('alarm_rate', ['site', 'line'])
  const title = `${lists.say('title')} ${lists.time(scope.period.from_ms)} – ${lists.time(scope.period.to_ms)}`
  return page(language, title, [
    note(scope.tz),
    section(
      lists.say('figures'),
      figuresTable(figures, language),
      ...figures.map(({ metric }) => note(`${metric.title[language]}: ${metric.definition[language]}`)),
    ),
    lists.section(
      'sites',
      'sites_head',
      2,
      rate.groups.map(({ by, value }) => [
        lists.text(by['site']),
        lists.text(by['line']),
        { number: valueText('per-10-min', value, language) },
      ]),
    ),
    ...(await listsOf(source, lists)),
  ])
}

async function listsOf(source: ReportSource, lists: Lists<keyof typeof TEXTS>): Promise<Html[]> {
  const [priorities, frequent, floods, standing] = await Promise.all(
    ['alarm-priorities', 'frequent-alarms', 'floods', 'standing-alarms'].map((name) => source.rows(name)),
  )
  const text = (value: Value) => lists.text(value)
  const count = (value: Value) => lists.count(value)
  const alarm = (row: TableRow) => [text(row['alertname']), text(row['entity']), text(row['severity'])]
  const by_priority = (priorities ?? []).map((row) => [
    text(row['severity']),
    count(row['activations']),
    lists.share(row['share']),
  ])
  const most = (frequent ?? []).map((row) => [
    ...alarm(row),
    count(row['activations']),
    lists.share(row['share']),
    count(row['chattering']),
  ])
  const flooded = (floods ?? []).map((row) => [
    lists.time(row['begin_ms']),
    lists.duration(row['duration_ms']),
    count(row['activations']),
    count(row['peak']),
  ])
  const stood = (standing ?? []).map((row) => [
    ...alarm(row),
    lists.time(row['since_ms']),
    lists.duration(row['standing_ms']),
  ])
  return [
    lists.section('priorities', 'priorities_head', 1, by_priority, note(lists.say('priorities_note'))),
    lists.section('frequent', 'frequent_head', 3, most),
    lists.section('floods', 'floods_head', 1, flooded),
    lists.section('standing', 'standing_head', 4, stood),
  ]
}
