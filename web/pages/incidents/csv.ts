import type { IncidentSummary } from '../../../schemas/incident_summary.ts'

const COLUMNS: readonly (readonly [
  name: string,
  of: (incident: IncidentSummary) => string | number | null,
])[] = [
  ['id', ({ id }) => id],
  ['severity', ({ severity }) => severity],
  ['state', ({ state }) => state],
  ['title', ({ title }) => title],
  ['cause', ({ cause }) => cause?.entity ?? null],
  ['entity', ({ entity }) => entity],
  ['scope', ({ scope }) => scope],
  ['alerts_firing', ({ members_firing }) => members_firing],
  ['alerts_total', ({ members_total }) => members_total],
  ['opened_at', ({ opened_at_ms }) => time(opened_at_ms)],
  ['acknowledged_at', ({ acknowledged_at_ms }) => time(acknowledged_at_ms)],
  ['mitigated_at', ({ mitigated_at_ms }) => time(mitigated_at_ms)],
  ['resolved_at', ({ resolved_at_ms }) => time(resolved_at_ms)],
  ['assignee', ({ assignee }) => assignee],
  ['tickets', ({ tickets }) => tickets.map(({ external_id }) => external_id).join(' ')],
  ['updated_at', ({ updated_at_ms }) => time(updated_at_ms)],
]

function time(at_ms: number | null): string | null {
  return at_ms === null ? null : new Date(at_ms).toISOString()
}

/** A cell that begins like a formula would be one in a spreadsheet: alert text must not be. */
function cell(value: string | number | null): string {
  const text = String(value ?? '')
  const safe = /^[=+\-@\t\r]/.test(text) && typeof value === 'string' ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

/** RFC 4180, times in UTC. */
export function csvOf(incidents: readonly IncidentSummary[]): string {
  const rows = [
    COLUMNS.map(([name]) => name),
    ...incidents.map((incident) => COLUMNS.map(([, of]) => cell(of(incident)))),
  ]
  return `${rows.map((row) => row.join(',')).join('\r\n')}\r\n`
}

export function download(name: string, text: string): void {
  // A byte order mark, without which Excel reads UTF-8 as something else.
  const url = URL.createObjectURL(new Blob(['\ufeff', text], { type: 'text/csv;charset=utf-8' }))
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  URL.revokeObjectURL(url)
}
