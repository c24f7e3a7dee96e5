import { useQuery } from '@tanstack/react-query'
import type { Incident, Member } from '../../../schemas/incident.ts'
import type { Rules } from '../../../schemas/rules.ts'
import { useLiveIncident } from '../../live/store.ts'
import { Link } from '../../router/link.tsx'
import { request } from '../../server/request.ts'
import { useLanguage, useTexts } from '../../texts/catalogue.ts'
import { Section } from './section.tsx'
import { texts } from './texts.ts'
import { type EvidenceSum, nearMisses, opening, sumOfEvidence } from './evidence.ts'

function useJoinAt(): number | null {
  const { data } = useQuery({ queryKey: ['rules'], queryFn: () => request<Rules>('/api/v1/rules') })
  return data?.evidence?.join_at ?? null
}

interface WhyProps {
  readonly incident: Incident
  /** Only what weighs most. */
  readonly brief?: boolean
}

const TOLD_IN_BRIEF = 4

/** What holds the alerts together, and what was near and stayed apart. */
export function Why({ incident, brief = false }: WhyProps) {
  const t = useTexts(texts)
  const language = useLanguage()
  const join_at = useJoinAt()
  const number = new Intl.NumberFormat(language, { maximumFractionDigits: 2 })
  const all = sumOfEvidence(incident.members)
  const sums = brief ? all.slice(0, TOLD_IN_BRIEF) : all
  const first = opening(incident.members)
  return (
    <Section title={t.why}>
      <p>
        {incident.rule === ''
          ? join_at !== null && t.by_evidence(number.format(join_at))
          : t.by_rule(incident.rule)}{' '}
        <span className="soft">{t.rules_version(incident.rules_version)}</span>
      </p>
      {sums.length > 0 && (
        <ul className="evidence">
          {sums.map((sum) => (
            <Evidence key={`${sum.kind} ${sum.about}`} sum={sum} />
          ))}
        </ul>
      )}
      {first && !brief && (
        <p className="soft" lang="en">
          {first.reason.text}
        </p>
      )}
      {(!brief || nearMisses(incident.members).length > 0) && (
        <>
          <h3>{t.near_misses}</h3>
          <NearMisses members={incident.members} join_at={join_at} />
        </>
      )}
    </Section>
  )
}

function Evidence({ sum: { kind, about, weight, alerts } }: { readonly sum: EvidenceSum }) {
  const t = useTexts(texts)
  const percent = new Intl.NumberFormat(useLanguage(), { maximumFractionDigits: 2 })
  return (
    <li>
      <span className="evidence-kind">{t[`evidence_${kind}`]}</span>
      <span className="evidence-about one-line" title={about}>
        {kind === 'time' ? '' : about}
      </span>
      <span className="soft number">{t.evidence_of(alerts)}</span>
      <meter min={0} max={1} value={weight} aria-label={t.weight} title={percent.format(weight)}>
        {percent.format(weight)}
      </meter>
      <span className="number">{percent.format(weight)}</span>
    </li>
  )
}

interface NearMissesProps {
  readonly members: readonly Member[]
  readonly join_at: number | null
}

function NearMisses({ members, join_at }: NearMissesProps) {
  const t = useTexts(texts)
  const number = new Intl.NumberFormat(useLanguage(), { maximumFractionDigits: 2 })
  const misses = nearMisses(members)
  if (misses.length === 0) return <p className="soft">{t.no_near_misses}</p>
  return (
    <ul className="near-misses">
      {misses.map(({ incident_id, strength, alerts }) => (
        <li key={incident_id}>
          <MissedIncident id={incident_id} />
          <span className="soft number">
            {t.near_miss(number.format(strength), number.format(join_at ?? 1))} · {t.evidence_of(alerts)}
          </span>
        </li>
      ))}
    </ul>
  )
}

function MissedIncident({ id }: { readonly id: string }) {
  const known = useLiveIncident(id)
  return (
    <Link to={`/incidents/${encodeURIComponent(id)}`} className="one-line">
      {known?.title ?? id}
    </Link>
  )
}
