import { useQuery } from '@tanstack/react-query'
import type { SimilarIncidents } from '../../../schemas/similar.ts'
import { duration, Moment } from '../../parts/time.tsx'
import { SeverityMark } from '../../parts/severity.tsx'
import { Link } from '../../router/link.tsx'
import { request, ServerError } from '../../server/request.ts'
import { useLanguage, useTexts } from '../../texts/catalogue.ts'
import { Section } from './section.tsx'
import { texts } from './texts.ts'

/** Earlier incidents like this one, and how they ended. */
export function Similar({ id }: { readonly id: string }) {
  const t = useTexts(texts)
  const { data, error } = useQuery({
    queryKey: ['similar', id],
    queryFn: ({ signal }) =>
      request<SimilarIncidents>(`/api/v1/incidents/${encodeURIComponent(id)}/similar`, { signal }),
    staleTime: 60_000,
  })
  if (error) {
    const off = error instanceof ServerError && error.code === 'history-off'
    return (
      <Section title={t.similar}>
        <p className="soft">{off ? t.history_off : t.no_history}</p>
      </Section>
    )
  }
  if (!data) return null
  return (
    <Section title={t.similar}>
      {data.incidents.length === 0 ? (
        <p className="soft">{t.no_similar}</p>
      ) : (
        <ul className="similar">
          {data.incidents.map((incident) => (
            <SimilarOne key={incident.id} incident={incident} />
          ))}
        </ul>
      )}
    </Section>
  )
}

function SimilarOne({ incident }: { readonly incident: SimilarIncidents['incidents'][number] }) {
  const t = useTexts(texts)
  const language = useLanguage()
  const percent = new Intl.NumberFormat(language, { style: 'percent' })
  const { id, title, severity, opened_at_ms, time_to_resolve_ms, similarity, shared, resolution } = incident
  return (
    <li>
      <p className="similar-head">
        <SeverityMark severity={severity} muted />
        <Link to={`/incidents/${encodeURIComponent(id)}`}>{title}</Link>
        <span className="soft number">{t.alike(percent.format(similarity))}</span>
      </p>
      <p className="soft">
        <Moment at_ms={opened_at_ms} /> · {t.resolved_in(duration(language, time_to_resolve_ms))}
      </p>
      <p className="soft">{shared.join(' · ')}</p>
      <ul>
        {resolution.map(({ at_ms, actor, text }) => (
          <li key={`${at_ms} ${text}`}>
            {text} <span className="soft">{t.by(actor)}</span>
          </li>
        ))}
      </ul>
    </li>
  )
}
