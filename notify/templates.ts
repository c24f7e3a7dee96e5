import type { Severity } from '../schemas/alert.ts'
import type { Summary, Told } from './delivery.ts'

/** The plain texts that people read in tickets. What comes from alerts is not trusted: no control characters, bounded lengths. */

const SUBJECT_CHARS = 200

/** One line: line breaks, other control characters and characters that reverse the direction of text become spaces. */
function line(text: string, chars: number): string {
  const plain = text
    .replace(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]+/gu, ' ')
    .trim()
    .toWellFormed()
  return plain.length <= chars ? plain : `${plain.slice(0, chars - 1).toWellFormed()}…`
}

function time(at_ms: number): string {
  return `${new Date(at_ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`
}

export function subject(summary: Summary): string {
  return line(`[${summary.severity}] ${summary.title}`, SUBJECT_CHARS)
}

function alerts(count: number): string {
  return count === 1 ? '1 alert' : `${count} alerts`
}

function members(summary: Summary): readonly string[] {
  const listed = summary.members.map((member) => {
    const ended = member.firing ? '' : ', ended'
    return `  - ${line(member.entity, 200) || '(no entity)'} (${member.severity}${ended}), since ${time(member.starts_at_ms)}`
  })
  const more = summary.members_total - listed.length
  return more > 0 ? [...listed, `  and ${more} more`] : listed
}

function group(summary: Summary): string {
  const parts = Object.entries(summary.group).map(([name, value]) => `${line(name, 100)}=${line(value, 200)}`)
  return parts.join(', ') || '(all alerts of the scope)'
}

/** The whole incident, for a new ticket. */
export function description(summary: Summary, link: string): string {
  return [
    line(summary.title, 500),
    '',
    `Severity:  ${summary.severity}`,
    `State:     ${summary.state}`,
    `Scope:     ${line(summary.scope, 256)}`,
    `Began:     ${time(summary.first_event_at_ms)}`,
    `Alerts:    ${summary.members_total}, of which ${summary.members_firing} fire`,
    ...(summary.assignee === null ? [] : [`Assignee:  ${line(summary.assignee, 200)}`]),
    `Together:  ${group(summary)} (rule ${line(summary.rule, 128)})`,
    `Why:       ${line(summary.reason, 1_000)}`,
    '',
    ...members(summary),
    '',
    `Incident:  ${link}`,
  ].join('\n')
}

function severityNews(told: Severity, now: Severity): readonly string[] {
  return told === now ? [] : [`Severity: ${told} → ${now}`]
}

function stateNews(summary: Summary, told: Told, link: (incident_id: string) => string): readonly string[] {
  if (summary.state === told.state) return []
  if (summary.merged_into !== null)
    return [`Merged into ${summary.merged_into}: ${link(summary.merged_into)}`]
  const by =
    summary.state === 'acknowledged' && summary.assignee !== null ? ` (${line(summary.assignee, 200)})` : ''
  return [`State: ${told.state} → ${summary.state}${by}`]
}

/** What is new since the sink was told last, for a comment. */
export function news(summary: Summary, told: Told, link: (incident_id: string) => string): string {
  const grown = summary.members_total - told.members_total
  const diary = summary.news
    .filter((entry) => entry.revision > told.revision)
    .map(
      (entry) =>
        `  - ${time(entry.at_ms)} ${line(entry.actor, 128)}: ${line(entry.text, 1_000) || entry.kind}`,
    )
  return [
    ...stateNews(summary, told, link),
    ...severityNews(told.severity, summary.severity),
    ...(summary.assignee === told.assignee
      ? []
      : [`Assignee: ${summary.assignee === null ? 'nobody' : line(summary.assignee, 200)}`]),
    ...(grown > 0
      ? [`${alerts(grown)} joined: ${summary.members_total} in all, of which ${summary.members_firing} fire`]
      : []),
    ...(diary.length > 0 ? ['', ...diary] : []),
    '',
    `Incident: ${link(summary.incident_id)}`,
  ].join('\n')
}
