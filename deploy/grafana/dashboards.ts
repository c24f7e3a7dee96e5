/** Grafana's dashboards, as code: what is in `deploy/grafana/dashboards` is written from here by `npm run generate`. */
import { median, perDay, share, table, values } from './queries.ts'

const SOURCE = { type: 'grafana-clickhouse-datasource', uid: 'tocsin' } as const

interface Panel {
  readonly type: 'stat' | 'timeseries' | 'table' | 'barchart'
  readonly title: string
  readonly description?: string
  readonly sql: string
  readonly unit?: string
  readonly width: number
  readonly height: number
}

const CENSORED = 'Median of the Kaplan–Meier curve: what is still open counts as longer than until now.'

const INCIDENTS: readonly Panel[] = [
  {
    type: 'stat',
    title: 'Time to acknowledge (median)',
    description: CENSORED,
    sql: median('time_to_acknowledge'),
    unit: 's',
    width: 6,
    height: 5,
  },
  {
    type: 'stat',
    title: 'Time to resolve (median)',
    description: CENSORED,
    sql: median('time_to_resolve'),
    unit: 's',
    width: 6,
    height: 5,
  },
  {
    type: 'stat',
    title: 'Resolved in time',
    sql: share('sla_attainment'),
    unit: 'percentunit',
    width: 4,
    height: 5,
  },
  {
    type: 'stat',
    title: 'Answered in time',
    sql: share('response_timeliness'),
    unit: 'percentunit',
    width: 4,
    height: 5,
  },
  {
    type: 'stat',
    title: 'Never acknowledged',
    sql: share('never_acknowledged'),
    unit: 'percentunit',
    width: 4,
    height: 5,
  },
  {
    type: 'timeseries',
    title: 'Incidents a day, by severity',
    sql: perDay('incidents_per_day', ['severity']),
    width: 12,
    height: 8,
  },
  { type: 'timeseries', title: 'Interruptions a day', sql: perDay('interruptions'), width: 12, height: 8 },
  {
    type: 'barchart',
    title: 'Time to resolve by service (median)',
    description: CENSORED,
    sql: median('time_to_resolve', ['service']),
    unit: 's',
    width: 12,
    height: 9,
  },
  { type: 'table', title: 'From statements to incidents', sql: table('funnel'), width: 12, height: 9 },
  { type: 'table', title: 'Open, by their next deadline', sql: table('breaching'), width: 24, height: 8 },
  { type: 'table', title: 'Service levels', sql: table('sla'), width: 12, height: 9 },
  { type: 'table', title: 'What recurs', sql: table('recurrence'), width: 12, height: 9 },
  { type: 'table', title: 'Hours of the week', sql: table('heatmap'), width: 12, height: 9 },
  { type: 'table', title: 'Flow between assignees', sql: table('flow'), width: 12, height: 9 },
]

const ALARMS: readonly Panel[] = [
  {
    type: 'timeseries',
    title: 'Activations a day, by severity',
    sql: perDay('alarm_rate', ['severity']),
    width: 16,
    height: 8,
  },
  {
    type: 'table',
    title: 'Priorities (ISA-18.2: 80/15/5)',
    sql: table('alarm-priorities'),
    width: 8,
    height: 8,
  },
  {
    type: 'stat',
    title: 'Time that an alarm stands (median)',
    description: CENSORED,
    sql: median('alarm_duration'),
    unit: 's',
    width: 6,
    height: 8,
  },
  { type: 'table', title: 'Floods', sql: table('floods'), width: 18, height: 8 },
  { type: 'table', title: 'Most frequent', sql: table('frequent-alarms'), width: 12, height: 10 },
  { type: 'table', title: 'Standing', sql: table('standing-alarms'), width: 12, height: 10 },
]

/** Panels in rows of 24 columns, in order. */
function placed(panels: readonly Panel[]): object[] {
  let x = 0
  let y = 0
  let tallest = 0
  return panels.map(({ type, title, description = '', sql, unit, width, height }, index) => {
    if (x + width > 24) {
      x = 0
      y += tallest
      tallest = 0
    }
    const gridPos = { x, y, w: width, h: height }
    x += width
    tallest = Math.max(tallest, height)
    const target = {
      refId: 'A',
      datasource: SOURCE,
      editorType: 'sql',
      queryType: type === 'timeseries' ? 'timeseries' : 'table',
      format: type === 'timeseries' ? 0 : 1,
      rawSql: sql,
    }
    const options =
      type === 'stat' ? { reduceOptions: { calcs: ['lastNotNull'], fields: '/^(median_s|share)$/' } } : {}
    return {
      id: index + 1,
      type,
      title,
      description,
      datasource: SOURCE,
      gridPos,
      targets: [target],
      fieldConfig: { defaults: { ...(unit !== undefined && { unit }) }, overrides: [] },
      options,
    }
  })
}

function variable(name: 'scope' | 'service' | 'severity'): object {
  return {
    name,
    label: name,
    type: 'query',
    datasource: SOURCE,
    query: values(name),
    refresh: 2,
    multi: true,
    includeAll: true,
    current: { text: ['All'], value: ['$__all'] },
  }
}

function dashboard(uid: string, title: string, panels: readonly Panel[]): object {
  return {
    uid,
    title,
    tags: ['tocsin'],
    schemaVersion: 39,
    editable: true,
    time: { from: 'now-30d', to: 'now' },
    refresh: '',
    templating: {
      list: [
        {
          name: 'tz',
          label: 'time zone',
          type: 'textbox',
          query: 'UTC',
          current: { text: 'UTC', value: 'UTC' },
        },
        ...(['scope', 'service', 'severity'] as const).map(variable),
      ],
    },
    panels: placed(panels),
  }
}

/** Path → text of each dashboard. */
export function dashboards(): Map<string, string> {
  const all = {
    incidents: dashboard('tocsin-incidents', 'Tocsin: incidents', INCIDENTS),
    alarms: dashboard('tocsin-alarms', 'Tocsin: alarms', ALARMS),
  }
  return new Map(
    Object.entries(all).map(([name, one]) => [
      `deploy/grafana/dashboards/${name}.json`,
      `${JSON.stringify(one, null, 2)}\n`,
    ]),
  )
}
