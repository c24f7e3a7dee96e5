import { execFileSync } from 'node:child_process'
import { cpus, totalmem } from 'node:os'
import { version } from '../runtime/version.ts'

export type Figure = number | string | null

/** What a benchmark gives: what was run, and figures by name with their unit in the name. */
export interface Report {
  readonly name: string
  readonly parameters: Readonly<Record<string, Figure>>
  readonly figures: Readonly<Record<string, Figure>>
}

export interface FullReport extends Report {
  readonly at: string
  readonly tocsin: string
  readonly commit: string
  readonly node: string
  readonly machine: { readonly cpu: string; readonly cores: number; readonly memory_gb: number }
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
    },
  }
}

function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  } catch {
    return 'unknown'
  }
}

/** The median of a list, and its smallest and largest value. */
export function spread(values: readonly number[]): { median: number; min: number; max: number } {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (q: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? 0
  return { median: at(0.5), min: at(0), max: at(1) }
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
  const lines = Object.entries(report.figures).map(([key, value]) => `  ${key.padEnd(width)}  ${value}`)
  return [
    `${report.name}: ${parameters.join(' ')}`,
    `on ${report.machine.cores} cores of ${report.machine.cpu}, Node ${report.node}, commit ${report.commit}`,
    ...lines,
  ].join('\n')
}
