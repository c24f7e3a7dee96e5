import { useQuery } from '@tanstack/react-query'
import { Moment } from '../../parts/time.tsx'
import { isWebAddress } from '../../parts/web_link.tsx'
import { request } from '../../server/request.ts'
import { useTexts } from '../../texts/catalogue.ts'
import { Section } from './section.tsx'
import { texts } from './texts.ts'

/** One sink's copy of an incident (notify/rows.ts). */
interface Delivery {
  readonly sink: string
  readonly state: 'pending' | 'in-flight' | 'delivered' | 'retrying' | 'failed-for-good' | 'disabled'
  readonly told: { readonly revision: number; readonly at_ms: number } | null
  readonly external_id: string | null
  readonly url: string | null
  readonly attempts: number
  readonly next_try_at_ms: number | null
  readonly error: { readonly code: string; readonly status: number | null; readonly at_ms: number } | null
}

const REFRESH_MS = 5_000

/** What tickets, chats and webhooks were told. */
export function Deliveries({ id }: { readonly id: string }) {
  const t = useTexts(texts)
  const { data } = useQuery({
    queryKey: ['deliveries', id],
    queryFn: ({ signal }) =>
      request<{ deliveries: readonly Delivery[] }>(
        `/api/v1/deliveries?incident_id=${encodeURIComponent(id)}`,
        { signal },
      ),
    refetchInterval: REFRESH_MS,
  })
  if (!data) return null
  return (
    <Section title={t.deliveries}>
      {data.deliveries.length === 0 ? (
        <p className="soft">{t.no_deliveries}</p>
      ) : (
        <ul className="deliveries">
          {data.deliveries.map((delivery) => (
            <DeliveryRow key={delivery.sink} delivery={delivery} />
          ))}
        </ul>
      )}
    </Section>
  )
}

function DeliveryRow({ delivery }: { readonly delivery: Delivery }) {
  const t = useTexts(texts)
  const { sink, state, told, external_id, url, attempts, next_try_at_ms, error } = delivery
  return (
    <li>
      <strong>{sink}</strong>
      <span>{t[`delivery_${state}`]}</span>
      {external_id !== null &&
        (url !== null && isWebAddress(url) ? (
          <a href={url} target="_blank" rel="noreferrer noopener">
            {external_id}
          </a>
        ) : (
          <span>{external_id}</span>
        ))}
      <span className="soft number">
        {[told && t.told_revision(told.revision), attempts > 0 && t.attempts(attempts)]
          .filter(Boolean)
          .join(' · ')}
      </span>
      {error && (
        <span>
          {error.code}
          {error.status !== null && ` (${error.status})`} · <Moment at_ms={error.at_ms} />
        </span>
      )}
      {next_try_at_ms !== null && (
        <span className="soft">
          {t.next_try} <Moment at_ms={next_try_at_ms} />
        </span>
      )}
    </li>
  )
}
