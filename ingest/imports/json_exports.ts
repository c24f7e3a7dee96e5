import { z } from 'zod'
import type { RawIncident } from './raw_incident.ts'

/** Exports as the REST interfaces of other systems give them; what is not needed is not looked at. */

const text = z
  .union([z.string(), z.number().transform(String), z.boolean().transform(String)])
  .nullish()
  .transform((value) => value ?? undefined)
const named = z
  .looseObject({ summary: text, name: text, displayName: text })
  .nullish()
  .transform((value) => value?.summary ?? value?.displayName ?? value?.name)

/** Left out rather than undefined. */
function filled(raw: { readonly [Field in keyof RawIncident]: RawIncident[Field] | undefined }): RawIncident {
  return Object.fromEntries(Object.entries(raw).filter(([, value]) => value !== undefined))
}

const pagerduty = z
  .looseObject({
    id: text,
    title: text,
    description: text,
    status: text,
    urgency: text,
    priority: named,
    priority_name: text,
    service: named,
    service_name: text,
    teams: z.array(named).nullish(),
    team_name: text,
    assignments: z.array(z.looseObject({ assignee: named })).nullish(),
    acknowledgements: z
      .array(z.looseObject({ at: text, acknowledger: z.looseObject({ type: text }).nullish() }))
      .nullish(),
    created_at: text,
    resolved_at: text,
    updated_at: text,
    html_url: text,
    incident_key: text,
    seconds_to_first_ack: text,
    seconds_to_resolve: text,
  })
  .transform((it) =>
    filled({
      external_id: it.id,
      title: it.title ?? it.description,
      severity: it.priority ?? it.priority_name ?? it.urgency,
      status: it.status,
      service: it.service ?? it.service_name,
      team: it.teams?.[0] ?? it.team_name,
      assignee: it.assignments?.[0]?.assignee,
      opened: it.created_at,
      // The first that a person gave: services acknowledge for other reasons.
      acknowledged: it.acknowledgements?.find(({ acknowledger }) => !/service/.test(acknowledger?.type ?? ''))
        ?.at,
      acknowledged_after_s: it.seconds_to_first_ack,
      resolved:
        it.resolved_at ??
        (it.status === 'resolved' && it.seconds_to_resolve === undefined ? it.updated_at : undefined),
      resolved_after_s: it.seconds_to_resolve,
      updated: it.updated_at,
      url: it.html_url,
      recurrence_key: it.incident_key,
    }),
  )

const report = z.looseObject({ ackTime: z.number().nullish(), closeTime: z.number().nullish() }).nullish()
const opsgenie = z
  .looseObject({
    id: text,
    message: text,
    status: text,
    priority: text,
    alias: text,
    createdAt: text,
    updatedAt: text,
    impactStartDate: text,
    impactEndDate: text,
    owner: text,
    ownerTeam: text,
    teams: z.array(z.looseObject({ name: text, id: text })).nullish(),
    source: text,
    report,
  })
  .transform((it) => {
    const seconds = (ms: number | null | undefined) =>
      ms === null || ms === undefined ? undefined : String(ms / 1_000)
    const close_s = seconds(it.report?.closeTime)
    const closed = it.status === 'closed' || it.status === 'resolved'
    return filled({
      external_id: it.id,
      title: it.message,
      severity: it.priority,
      status: it.status,
      service: it.source,
      team: it.ownerTeam ?? it.teams?.[0]?.name ?? it.teams?.[0]?.id,
      assignee: it.owner,
      opened: it.createdAt,
      acknowledged_after_s: seconds(it.report?.ackTime),
      resolved: closed && close_s === undefined ? it.updatedAt : undefined,
      resolved_after_s: close_s,
      updated: it.updatedAt,
      impact_start: it.impactStartDate,
      impact_end: it.impactEndDate,
      recurrence_key: it.alias,
    })
  })

const WAITING = /wait|pending|hold|paused|挂起|等待|暂停/i
const ACTIVE = /progress|investigat|working|assigned|处理|进行/i
const REOPENED = /reopen|重新打开/i

const history = z.looseObject({
  created: text,
  items: z.array(z.looseObject({ field: text, fromString: text, toString: z.unknown() })).nullish(),
})
const jira = z
  .looseObject({
    key: text,
    fields: z.looseObject({
      summary: text,
      created: text,
      updated: text,
      resolutiondate: text,
      priority: named,
      status: named,
      assignee: named,
      components: z.array(named).nullish(),
      project: named,
    }),
    changelog: z.looseObject({ histories: z.array(history).nullish() }).nullish(),
  })
  .transform(({ key, fields, changelog }) => {
    const turns = (changelog?.histories ?? [])
      .flatMap(({ created, items }) =>
        (items ?? []).flatMap(({ field, toString: to }) =>
          field === 'status' && created !== undefined && typeof to === 'string' ? [{ at: created, to }] : [],
        ),
      )
      .sort((a, b) => (a.at < b.at ? -1 : 1))
    const pauses = turns.flatMap(({ at, to }, i) =>
      WAITING.test(to) ? [{ from: at, to: turns[i + 1]?.at ?? null, reason: to }] : [],
    )
    return filled({
      external_id: key,
      title: fields.summary,
      severity: fields.priority,
      status: fields.status,
      service: fields.components?.[0] ?? fields.project,
      assignee: fields.assignee,
      opened: fields.created,
      acknowledged: turns.find(({ to }) => ACTIVE.test(to))?.at,
      resolved: fields.resolutiondate,
      updated: fields.updated,
      reopened: String(turns.filter(({ to }) => REOPENED.test(to)).length),
      pauses,
    })
  })

/** A field of ServiceNow: its value, or value and what people see. */
const cell = z.union([text, z.looseObject({ display_value: text, value: text })]).transform((value) => {
  const told = typeof value === 'object' ? (value.display_value ?? value.value) : value
  return told === '' ? undefined : told
})
const servicenow = z
  .looseObject({
    number: cell,
    short_description: cell.optional(),
    priority: cell.optional(),
    state: cell.optional(),
    business_service: cell.optional(),
    cmdb_ci: cell.optional(),
    assignment_group: cell.optional(),
    assigned_to: cell.optional(),
    location: cell.optional(),
    opened_at: cell.optional(),
    sys_created_on: cell.optional(),
    work_start: cell.optional(),
    resolved_at: cell.optional(),
    closed_at: cell.optional(),
    sys_updated_on: cell.optional(),
    reopen_count: cell.optional(),
  })
  .transform((it) =>
    filled({
      external_id: it.number,
      title: it.short_description,
      severity: it.priority,
      service: it.business_service ?? it.cmdb_ci,
      team: it.assignment_group,
      site: it.location,
      assignee: it.assigned_to,
      opened: it.opened_at ?? it.sys_created_on,
      acknowledged: it.work_start,
      resolved: it.resolved_at ?? it.closed_at,
      updated: it.sys_updated_on,
      reopened: it.reopen_count,
    }),
  )

/** Of each system: where the list is in its answer, and what an entry of it is. */
export const JSON_EXPORTS = {
  pagerduty: { lists: ['incidents', 'data'], entry: pagerduty },
  opsgenie: { lists: ['data'], entry: opsgenie },
  jira: { lists: ['issues', 'values'], entry: jira },
  servicenow: { lists: ['result', 'records'], entry: servicenow },
} as const satisfies Record<string, { lists: readonly string[]; entry: z.ZodType<RawIncident> }>
