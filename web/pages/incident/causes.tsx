import type { Incident } from '../../../schemas/incident.ts'
import { useLanguage, useTexts } from '../../texts/catalogue.ts'
import { Section } from './section.tsx'
import { texts } from './texts.ts'

/** What the incident probably comes from, the likeliest first, with what speaks for it. */
export function Causes({
  incident: { causes, members },
}: {
  readonly incident: Pick<Incident, 'causes' | 'members'>
}) {
  const t = useTexts(texts)
  const number = new Intl.NumberFormat(useLanguage(), { maximumFractionDigits: 1 })
  const best = causes[0]?.score ?? 0
  const alone = new Set(members.map(({ entity }) => entity)).size < 2
  return (
    <Section title={t.causes}>
      {causes.length === 0 || alone ? (
        <p className="soft">{t.no_causes}</p>
      ) : (
        <ol className="causes">
          {causes.map(({ entity, score, reasons }) => (
            <li key={entity}>
              <div className="cause-head">
                <strong>{entity}</strong>
                <span className="soft number">{t.score(number.format(score))}</span>
              </div>
              <div className="bar" aria-hidden="true">
                <div style={{ width: `${best > 0 ? (100 * score) / best : 0}%` }} />
              </div>
              <ul className="soft" lang="en">
                {reasons.map((reason) => (
                  <li key={reason}>{reason}</li>
                ))}
              </ul>
            </li>
          ))}
        </ol>
      )}
    </Section>
  )
}
