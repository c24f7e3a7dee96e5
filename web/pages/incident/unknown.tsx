import { Link } from '../../router/link.tsx'
import type { ServerError } from '../../server/request.ts'
import { useTexts } from '../../texts/catalogue.ts'
import { texts } from './texts.ts'

/** An incident that is not there, or could not be read. */
export function Unknown({ error }: { readonly error: ServerError }) {
  const t = useTexts(texts)
  const unknown = error.code === 'incident-unknown'
  return (
    <div className="empty" role="alert">
      <h1>{unknown ? t.unknown : t.unreadable(error.code)}</h1>
      <p className="soft">{unknown ? t.unknown_hint : error.remedy}</p>
      <Link to="/incidents">{t.back}</Link>
    </div>
  )
}
