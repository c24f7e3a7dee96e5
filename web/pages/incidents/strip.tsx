import { SEVERITIES, SeverityMark } from '../../parts/severity.tsx'
import { setQuery, useLocation } from '../../router/location.ts'
import { useLanguage, useTexts } from '../../texts/catalogue.ts'
import { words } from '../../texts/words.ts'
import { texts } from './texts.ts'
import type { Counts } from './view.ts'

/** What is open, by severity; each number is a filter. */
export function Strip({ counts }: { readonly counts: Counts }) {
  const t = useTexts(texts)
  const w = useTexts(words)
  const language = useLanguage()
  const { query } = useLocation()
  const chosen = query.get('severity')?.split(',') ?? []
  const number = new Intl.NumberFormat(language)
  const toggle = (severity: string) => {
    const next = chosen.includes(severity) ? chosen.filter((one) => one !== severity) : [...chosen, severity]
    setQuery({ severity: next.join(',') })
  }
  const only_open = query.get('state') === 'open'
  return (
    <div className="strip">
      <div className="strip-counts" role="group" aria-label={t.open_by_severity}>
        {SEVERITIES.map((severity) => (
          <button
            key={severity}
            type="button"
            className={counts.by_severity[severity] === 0 ? 'count none' : 'count'}
            aria-pressed={chosen.includes(severity)}
            onClick={() => toggle(severity)}
          >
            <SeverityMark severity={severity} muted={counts.by_severity[severity] === 0} />
            <b className="number">{number.format(counts.by_severity[severity])}</b>
            {w[severity]}
          </button>
        ))}
        <button
          type="button"
          className={counts.unacknowledged === 0 ? 'count none' : 'count'}
          aria-pressed={only_open}
          onClick={() => setQuery({ state: only_open ? null : 'open' })}
        >
          <b className="number">{number.format(counts.unacknowledged)}</b>
          {t.unacknowledged}
        </button>
      </div>
      <Compression counts={counts} />
    </div>
  )
}

/** How much less there is to look at than was sent. */
function Compression({ counts: { alerts, unresolved } }: { readonly counts: Counts }) {
  const t = useTexts(texts)
  const language = useLanguage()
  if (unresolved === 0 || alerts <= unresolved) return null
  const number = new Intl.NumberFormat(language)
  const share = new Intl.NumberFormat(language, { style: 'percent', maximumFractionDigits: 1 })
  return (
    <p className="compression number">
      {t.compression(number.format(alerts), number.format(unresolved), share.format(1 - unresolved / alerts))}
    </p>
  )
}
