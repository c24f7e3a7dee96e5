import { writeFileSync } from 'node:fs'
import type { ClickHouseClient } from '@clickhouse/client'
import { alarmsPage } from '../analytics/report/alarms.ts'
import { dispatchPage } from '../analytics/report/dispatch.ts'
import { incidentPage } from '../analytics/report/incident.ts'
import { monthly } from '../analytics/report/monthly.ts'
import { monthlyCsv } from '../analytics/report/monthly_csv.ts'
import { monthlyPage } from '../analytics/report/monthly_page.ts'
import type { Language } from '../analytics/report/page.ts'
import { monthPeriods, type ReportScope, ReportSource } from '../analytics/report/source.ts'
import { systemClock } from '../runtime/clock.ts'
import { environment, loadConfig } from '../runtime/config.ts'
import { Misconfigured, Reject } from '../runtime/errors.ts'
import { historyOf } from './history.ts'
import { isTimeZone } from '../schemas/calendar.ts'

export interface ReportOptions {
  readonly config?: string
  readonly month?: string
  readonly out?: string
  readonly lang: string
  readonly tz?: string
  readonly format?: string
}

const LANGUAGES: Readonly<Record<string, Language>> = { en: 'en', zh: 'zh', 'zh-CN': 'zh' }

function unusable(option: string, message: string): never {
  throw new Misconfigured('option-unusable', `--${option}: ${message}`)
}

function languageOf({ lang }: ReportOptions): Language {
  return LANGUAGES[lang] ?? unusable('lang', `expected en or zh, not ${lang}`)
}

function timeZoneOf({ tz = new Intl.DateTimeFormat().resolvedOptions().timeZone }: ReportOptions): string {
  return isTimeZone(tz) ? tz : unusable('tz', `expected an IANA time zone such as Asia/Shanghai, not ${tz}`)
}

/** The month that is asked for, or the last that is over. */
function monthOf({ month }: ReportOptions, tz: string): string {
  if (month !== undefined)
    return /^\d{4}-(0[1-9]|1[0-2])$/.test(month)
      ? month
      : unusable('month', `expected a month such as 2026-10, not ${month}`)
  const local = new Intl.DateTimeFormat('en-CA', { timeZone: tz, year: 'numeric', month: '2-digit' })
  const [year, number] = local.format(systemClock.now()).split('-').map(Number) as [number, number]
  return new Date(Date.UTC(year, number - 2, 1)).toISOString().slice(0, 7)
}

/** `tocsin report monthly`: a service report that can be sent as it is. */
export async function reportMonthly(options: ReportOptions): Promise<void> {
  const format = options.format ?? 'html'
  if (format !== 'html' && format !== 'csv') unusable('format', `expected html or csv, not ${format}`)
  await withPeriod(options, async (source, scope, month, language) => {
    const report = await monthly(source, month, scope)
    return format === 'csv' ? monthlyCsv(report) : monthlyPage(report, language)
  })
}

/** `tocsin report alarms`: the KPIs of ISA-18.2 over a month. */
export async function reportAlarms(options: ReportOptions): Promise<void> {
  await withPeriod(options, (source, scope, _month, language) => alarmsPage(source, scope, language))
}

/** `tocsin report dispatch`: who got incidents first, and who had them at the end. */
export async function reportDispatch(options: ReportOptions): Promise<void> {
  await withPeriod(options, (source, scope, _month, language) => dispatchPage(source, scope, language))
}

/** `tocsin report incident ID`: a document to review one incident with. */
export async function reportIncident(id: string, options: ReportOptions): Promise<void> {
  const language = languageOf(options)
  const tz = timeZoneOf(options)
  const client = await answering(historyOf(loadConfig(options.config, environment())))
  try {
    const written = await incidentPage(client, id, tz, language)
    if (written === null) throw new Misconfigured('incident-unknown', `the history knows no incident ${id}`)
    write(options.out, written)
  } finally {
    await client.close()
  }
}

/** The client, once it answers. Throws Misconfigured `history-unreachable`. */
async function answering(client: ClickHouseClient): Promise<ClickHouseClient> {
  if ((await client.ping({ select: true })).success) return client
  await client.close()
  throw new Misconfigured(
    'history-unreachable',
    'the history does not answer: start tocsin, or its ClickHouse',
  )
}

async function withPeriod(
  options: ReportOptions,
  make: (source: ReportSource, scope: ReportScope, month: string, language: Language) => Promise<string>,
): Promise<void> {
  const language = languageOf(options)
  const tz = timeZoneOf(options)
  const month = monthOf(options, tz)
  const client = await answering(historyOf(loadConfig(options.config, environment())))
  try {
    const scope: ReportScope = {
      ...monthPeriods(month, tz),
      as_of_ms: systemClock.now(),
      tz,
      business_hours: null,
      target_ms: null,
      filters: {},
    }
    write(options.out, await make(new ReportSource(client, scope), scope, month, language))
  } catch (error) {
    if (error instanceof Reject) throw new Misconfigured(error.code, error.message)
    throw error
  } finally {
    await client.close()
  }
}

function write(out: string | undefined, text: string): void {
  if (out === undefined || out === '-') return void process.stdout.write(text)
  writeFileSync(out, text)
  console.log(`${out}: ${Math.ceil(Buffer.byteLength(text) / 1_024)} KiB`)
}
