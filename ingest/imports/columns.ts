import { z } from 'zod'
import { severity } from '../../schemas/alert.ts'
import type { RawField, RawIncident } from './raw_incident.ts'

const FIELDS = [
  'external_id',
  'title',
  'severity',
  'status',
  'service',
  'team',
  'site',
  'line',
  'assignee',
  'url',
  'recurrence_key',
  'impact_start',
  'detected',
  'opened',
  'acknowledged',
  'mitigated',
  'resolved',
  'reviewed',
  'impact_end',
  'updated',
  'acknowledged_after_s',
  'resolved_after_s',
  'reopened',
  'satisfaction',
] as const satisfies readonly RawField[]

/** How columns of a CSV file become fields, as users write it. */
export const columnMapping = z.strictObject({
  /** Field → name of the column. */
  columns: z.partialRecord(z.enum(FIELDS), z.string().min(1)).default({}),
  /** Label → name of the column. */
  labels: z.record(z.string(), z.string().min(1)).default({}),
  /** Own words for severities. */
  severities: z.record(z.string(), severity).default({}),
})
export type ColumnMapping = z.infer<typeof columnMapping>

/** Names that the columns have in the CSV exports of other systems, in lower case, beside those of the fields. */
const USUAL: Readonly<Partial<Record<RawField, readonly string[]>>> = {
  external_id: [
    'id',
    'number',
    'issue key',
    'key',
    'incident number',
    'incident_number',
    'alertid',
    'tinyid',
    '编号',
    '工单号',
  ],
  title: ['summary', 'short_description', 'description', 'message', 'name', '标题', '摘要'],
  severity: ['priority', 'priority_name', 'urgency', '严重程度', '优先级'],
  status: ['state', '状态'],
  service: [
    'service_name',
    'business_service',
    'cmdb_ci',
    'component/s',
    'component',
    'source',
    '服务',
    '系统',
  ],
  team: ['team_name', 'assignment_group', 'owner team', 'ownerteam', 'teams', '团队', '支持组'],
  site: ['location', 'plant', '站点', '地点'],
  line: ['production_line', '产线'],
  assignee: ['assigned_to', 'assigned_user_names', 'owner', '负责人', '处理人'],
  opened: ['created', 'created_at', 'created_on', 'createdat', 'opened_at', 'sys_created_on', '创建时间'],
  acknowledged: ['acknowledged_at', 'first_acknowledged_at', 'work_start', '响应时间'],
  mitigated: ['mitigated_at'],
  resolved: ['resolved_at', 'resolution date', 'closed_at', 'closedat', '解决时间'],
  reviewed: ['reviewed_at', '复盘时间'],
  updated: ['updated_at', 'updatedat', 'sys_updated_on'],
  acknowledged_after_s: ['seconds_to_first_ack'],
  resolved_after_s: ['seconds_to_resolve'],
  reopened: ['reopen_count'],
  satisfaction: ['satisfaction rating', '满意度'],
  recurrence_key: ['incident_key', 'alias'],
}

/** Reads the rows of a CSV file by its head; `missing` names columns of the mapping that are not there. */
export function columnReader(
  head: readonly string[],
  { columns, labels }: ColumnMapping,
): { readonly read: (row: readonly string[]) => RawIncident; readonly missing: readonly string[] } {
  const places = new Map(head.map((name, place) => [name.toLowerCase(), place]))
  const placeOf = (name: string) => places.get(name.toLowerCase())
  const fields = new Map<RawField, number>()
  for (const field of FIELDS) {
    const own = columns[field]
    const names = own === undefined ? [field, ...(USUAL[field] ?? [])] : [own]
    const place = names.map(placeOf).find((found) => found !== undefined)
    if (place !== undefined) fields.set(field, place)
  }
  const missing = [...Object.values(columns), ...Object.values(labels)].filter(
    (name) => placeOf(name) === undefined,
  )
  return {
    missing,
    read: (row) => ({
      ...Object.fromEntries([...fields].map(([field, place]) => [field, row[place] ?? ''])),
      labels: Object.fromEntries(
        Object.entries(labels).map(([label, name]) => [label, row[placeOf(name) ?? -1] ?? '']),
      ),
    }),
  }
}
