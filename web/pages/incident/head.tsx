import type { Incident, IncidentState } from '../../../schemas/incident.ts'
import { SeverityWord } from '../../parts/severity.tsx'
import { Moment } from '../../parts/time.tsx'
import { Link } from '../../router/link.tsx'
import { useLanguage, useTexts } from '../../texts/catalogue.ts'
import { words } from '../../texts/words.ts'
import { TicketLink } from '../incidents/ticket_link.tsx'
import { texts } from './texts.ts'

/** What it is, how bad, and how far along. */
export function Facts({ incident }: { readonly incident: Incident }) {
  const t = useTexts(texts)
  const number = new Intl.NumberFormat(useLanguage())
  const { severity, state, scope, assignee, revision, reopened, suppressed, merged_into, tickets } = incident
  const over = state === 'resolved' || state === 'reviewed' || state === 'merged'
  return (
    <ul className="facts">
      <li>
        <SeverityWord severity={severity} muted={over} />
      </li>
      <li>{scope}</li>
      <li className="number">
        {t.alerts(number.format(incident.members_firing), number.format(incident.members_total))}
      </li>
      <li>{assignee === null ? t.not_assigned : t.assigned_to(assignee)}</li>
      {reopened > 0 && <li>{t.reopened(reopened)}</li>}
      {suppressed && <li>{t.suppressed}</li>}
      {tickets.map((ticket) => (
        <li key={ticket.sink}>
          <TicketLink ticket={ticket} />
        </li>
      ))}
      {merged_into !== null && (
        <li>
          {t.merged_into} <Link to={`/incidents/${encodeURIComponent(merged_into)}`}>{merged_into}</Link>
        </li>
      )}
      <li className="soft number">{t.revision(number.format(revision))}</li>
    </ul>
  )
}

const STEPS = ['open', 'acknowledged', 'mitigated', 'resolved', 'reviewed'] as const

function timeOf(incident: Incident, step: (typeof STEPS)[number]): number | null {
  switch (step) {
    case 'open':
      return incident.opened_at_ms
    case 'acknowledged':
      return incident.acknowledged_at_ms
    case 'mitigated':
      return incident.mitigated_at_ms
    case 'resolved':
      return incident.resolved_at_ms
    case 'reviewed':
      return incident.reviewed_at_ms
  }
}

function placeOf(state: IncidentState): number {
  return state === 'merged' ? 3 : STEPS.indexOf(state)
}

/** From opened to reviewed, with the times of the steps that were taken. */
export function Stepper({ incident }: { readonly incident: Incident }) {
  const t = useTexts(texts)
  const w = useTexts(words)
  const place = placeOf(incident.state)
  return (
    <ol className="stepper" aria-label={t.steps}>
      {STEPS.map((step, i) => {
        const at_ms = timeOf(incident, step)
        return (
          <li
            key={step}
            data-step={i < place ? 'done' : i === place ? 'now' : 'ahead'}
            aria-current={i === place ? 'step' : undefined}
          >
            <span className="step-name">{w[step]}</span>
            <span className="soft">{at_ms === null ? '–' : <Moment at_ms={at_ms} />}</span>
          </li>
        )
      })}
    </ol>
  )
}
