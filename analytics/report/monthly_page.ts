import { barChart, dayTicks, scatterChart, survivalChart, weekChart } from './charts.ts'
import { dateTime, estimateText, figuresTable, NONE, valueText } from './cells.ts'
import type { Due, Monthly } from './monthly.ts'
import { summaryOf } from './monthly_summary.ts'
import { CLOCKS, MONTHLY_TEXTS, WEEKDAY_NAMES } from './monthly_texts.ts'
import { figure, type Html, html, type Language, note, page, section, table } from './page.ts'
import type { TableRow } from './source.ts'

type Key = keyof typeof MONTHLY_TEXTS

/** The report as one HTML page. */
export function monthlyPage(report: Monthly, language: Language): string {
  const say = (key: Key) => MONTHLY_TEXTS[key][language]
  const title = `${say('title')} ${report.month}`
  return page(language, title, [
    headOf(report, language),
    section(
      say('summary'),
      html`<div class="summary"><ul>${summaryOf(report, language).map((one) => html`<li>${one}</li>`)}</ul></div>`,
    ),
    section(say('figures'), figuresTable(report.figures, language), note(say('figures_note'))),
    ...chartsOf(report, language, say),
    servicesOf(report, language, say),
    slaOf(report, language, say),
    recurrenceOf(report, language, say),
    actionsOf(report, language, say),
    definitionsOf(report, language, say),
  ])
}

function headOf({ scope }: Monthly, language: Language): Html {
  const { period, tz, as_of_ms } = scope
  const [from, to, asked] = [period.from_ms, period.to_ms, as_of_ms].map((at) => dateTime(at, tz, language))
  return note(
    language === 'zh'
      ? `${from} 至 ${to}（不含），时区 ${tz}；数据截至 ${asked}。由 Tocsin 生成。`
      : `${from} until before ${to}, ${tz}; as things stood on ${asked}. Made by Tocsin.`,
  )
}

type Say = (key: Key) => string

function chartsOf(report: Monthly, language: Language, say: Say): Html[] {
  const { curves, scatter, scope, days, week } = report
  const points = scatter.map((row) => ({
    opened_ms: Number(row['opened_ms']),
    elapsed_ms: Number(row['elapsed_ms']),
    open: row['outcome'] === 'open',
    severity: String(row['severity']),
  }))
  const labelled = days.map(({ date, at_ms }) => ({ at_ms, label: date.slice(5) }))
  const bars = days.map(({ date, incidents }) => ({ label: date.slice(8), value: incidents }))
  return [
    section(
      say('curves'),
      figure(survivalChart(curves, language, say('curves_caption')), say('curves_caption')),
    ),
    section(
      say('scatter'),
      figure(
        scatterChart(points, scope.period, dayTicks(labelled), language, say('scatter_caption')),
        `${say('scatter_caption')} (n ${points.length})`,
      ),
    ),
    section(say('days'), figure(barChart(bars, say('days')), say('days'))),
    section(
      say('week'),
      figure(
        weekChart(week, WEEKDAY_NAMES[language], say('week_caption')),
        `${say('week_caption')} (${scope.tz})`,
      ),
    ),
  ]
}

function servicesOf({ services, service_metrics }: Monthly, language: Language, say: Say): Html {
  const { resolve, attainment } = service_metrics
  const rows = services.map((line) => [
    line.service || NONE,
    { number: String(line.resolve.n) },
    { number: valueText('ms', line.down_ms, language) },
    { number: estimateText(resolve.metric, line.resolve, language) },
    line.resolve.compared?.verdict.text[language] ?? NONE,
    { number: estimateText(attainment.metric, line.attainment, language) },
  ])
  return section(
    say('services'),
    table(
      [
        say('service'),
        { number: say('incidents') },
        { number: say('down') },
        { number: say('median') },
        say('verdict'),
        { number: say('attainment') },
      ],
      rows,
    ),
  )
}

/** Of many services those with most breaches. */
const SLA_ROWS_MAX = 20

function slaOf({ sla }: Monthly, language: Language, say: Say): Html {
  const services = [...Map.groupBy(sla, (row) => String(row['service']))]
  const breaches = (rows: readonly TableRow[]) => rows.reduce((sum, row) => sum + Number(row['breached']), 0)
  const worst = services.sort(([, a], [, b]) => breaches(b) - breaches(a)).slice(0, SLA_ROWS_MAX)
  const cell = (row: TableRow | undefined) => {
    const due = Number(row?.['met'] ?? 0) + Number(row?.['breached'] ?? 0)
    const share = valueText('share', row?.['attainment'] as number | null, language)
    return { number: due === 0 ? NONE : `${share} (${String(row?.['met'])}/${due})` }
  }
  const clocks = Object.keys(CLOCKS)
  const shown = worst.map(([service, rows]) => [
    service || NONE,
    ...clocks.map((clock) => cell(rows.find((row) => row['clock'] === clock))),
    { number: String(breaches(rows)) },
  ])
  const heads = clocks.map((clock) => ({ number: CLOCKS[clock]?.[language] ?? clock }))
  return section(
    say('sla'),
    table([say('service'), ...heads, { number: say('breached') }], shown),
    note(say(services.length > SLA_ROWS_MAX ? 'sla_more' : 'sla_note')),
  )
}

function recurrenceOf({ recurrence, scope }: Monthly, language: Language, say: Say): Html {
  if (recurrence.length === 0) return section(say('recurrence'), note(say('none')))
  return section(
    say('recurrence'),
    table(
      [
        say('alert'),
        say('entity'),
        say('service'),
        { number: say('incidents') },
        { number: say('open_time') },
        say('last'),
      ],
      recurrence.map((row) => [
        String(row['alertname']),
        String(row['entity']),
        String(row['service']) || NONE,
        { number: String(row['incidents']) },
        { number: valueText('ms', Number(row['open_ms']), language) },
        dateTime(Number(row['last_opened_ms']), scope.tz, language),
      ]),
    ),
  )
}

function actionsOf({ overdue, unreviewed, scope }: Monthly, language: Language, say: Say): Html {
  const list = ({ rows }: Due, late: (row: TableRow) => number): Html =>
    rows.length === 0
      ? note(say('none'))
      : table(
          [
            say('incident'),
            say('severity'),
            say('service'),
            say('assignee'),
            say('since'),
            { number: say('late') },
          ],
          rows.map((row) => [
            html`${String(row['title'])} <span class="unit">${String(row['id'])}</span>`,
            String(row['severity']),
            String(row['service']) || NONE,
            String(row['assignee']) || say('nobody'),
            dateTime(Number(row['opened_ms']), scope.tz, language),
            { number: valueText('ms', late(row), language) },
          ]),
        )
  return section(
    say('actions'),
    html`<h3>${say('overdue')}</h3>`,
    list(overdue, (row) => -Number(row['left_ms'])),
    html`<h3>${say('unreviewed')}</h3>`,
    list(unreviewed, (row) => Number(row['late_ms'])),
  )
}

function definitionsOf({ figures }: Monthly, language: Language, say: Say): Html {
  const rows = figures.map(({ metric }) => [metric.title[language], metric.definition[language]])
  return section(say('definitions'), table([say('figure'), say('definitions')], rows))
}
