import { execFileSync } from 'node:child_process'
import { cpus, release, totalmem } from 'node:os'
import { version } from '../runtime/version.ts'

export type Figure = number | string | null

/** What a benchmark gives: what was run, and figures by name with their unit in the name. */
export interface Report {
  readonly name: string
  readonly parameters: Readonly<Record<string, Figure>>
  /** Medians, where something was measured in several rounds. */
  readonly figures: Readonly<Record<string, Figure>>
  readonly spread?: Readonly<Record<string, Spread>>
  /** What was sampled over time, by name with its unit; all lists have the same length. */
  readonly series?: Readonly<Record<string, readonly number[]>>
  readonly tables?: readonly Table[]
  /** Of what was measured beside Tocsin. */
  readonly versions?: Readonly<Record<string, string>>
}

/** Figures by row and, within it, by column. */
export interface Table {
  readonly title: string
  readonly rows: Readonly<Record<string, Readonly<Record<string, Figure>>>>
}

export interface FullReport extends Report {
  readonly at: string
  readonly tocsin: string
  readonly commit: string
  readonly node: string
  readonly machine: {
    readonly cpu: string
    readonly cores: number
    readonly memory_gb: number
    readonly kernel: string
  }
}

export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
}

export function complete(report: Report): FullReport {
  const [cpu] = cpus()
  return {
    ...report,
    at: new Date().toISOString(),
    tocsin: version(),
    commit: commit(),
    node: process.versions.node,
    machine: {
      cpu: cpu?.model.trim() ?? 'unknown',
      cores: cpus().length,
      memory_gb: Math.round(totalmem() / 2 ** 30),
      kernel: release(),
    },
  }
}

/** With `+` when files differ from it. */
function commit(): string {
  try {
    return execFileSync('git', ['describe', '--always', '--exclude', '*', '--dirty=+'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  } catch {
    return 'unknown'
  }
}

/** Medians and spread of what was measured in rounds; what is no number is taken from the last. */
export function summarise(rounds: readonly Readonly<Record<string, Figure>>[]): {
  figures: Record<string, Figure>
  spread: Record<string, Spread>
} {
  const figures: Record<string, Figure> = { ...rounds.at(-1) }
  const spreads: Record<string, Spread> = {}
  for (const name of Object.keys(figures)) {
    const values = rounds.map((round) => round[name]).filter((value) => typeof value === 'number')
    if (values.length === 0) continue
    const found = spread(values)
    figures[name] = found.median
    if (values.length > 1) spreads[name] = found
  }
  return { figures, spread: spreads }
}

/** The median of a list, and its smallest and largest value. */
export function spread(values: readonly number[]): Spread {
  return { median: quantile(values, 0.5), min: quantile(values, 0), max: quantile(values, 1) }
}

export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? 0
}

export function rounded(value: number, digits = 2): number {
  return Number(value.toFixed(digits))
}

export function table(report: FullReport): string {
  const width = Math.max(...Object.keys(report.figures).map((key) => key.length))
  const parameters = Object.entries(report.parameters).map(([key, value]) => `${key}=${value}`)
  const lines = Object.entries(report.figures).map(([key, value]) => {
    const found = report.spread?.[key]
    return `  ${key.padEnd(width)}  ${value}${found ? `  (${found.min} … ${found.max})` : ''}`
  })
  const { cores, cpu, memory_gb, kernel } = report.machine
  return [
    `${report.name}: ${parameters.join(' ')}`,
    `on ${cores} cores of ${cpu}, ${memory_gb} GiB, Linux ${kernel}, Node ${report.node}, commit ${report.commit}`,
    ...Object.entries(report.versions ?? {}).map(([name, text]) => `${name}: ${text}`),
    ...lines,
    ...(report.tables ?? []).flatMap(tableLines),
  ].join('\n')
}

function tableLines({ title, rows }: Table): string[] {
  const columns = [...new Set(Object.values(rows).flatMap((row) => Object.keys(row)))]
  const cells = Object.entries(rows).map(([name, row]) => [
    name,
    ...columns.map((column) => String(row[column] ?? '-')),
  ])
  const all = [['', ...columns], ...cells]
  const widths = ['', ...columns].map((_, i) => Math.max(...all.map((line) => (line[i] ?? '').length)))
  const aligned = all.map((line) =>
    line.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  '),
  )
  return ['', title, ...aligned.map((line) => `  ${line}`)]
}
