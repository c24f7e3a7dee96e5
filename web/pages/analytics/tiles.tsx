import type { MetricAnswer } from '../../../schemas/analytics_answer.ts'
import { useLanguage, useTexts } from '../../texts/catalogue.ts'
import { type Asked, useMetric } from './ask.ts'
import { useFormats } from './format.ts'
import { Missing, Tools } from './panel.tsx'
import { texts } from './texts.ts'

const TILES = [
  'time_to_acknowledge',
  'time_to_mitigate',
  'time_to_resolve',
  'never_acknowledged',
  'incidents_per_day',
  'compression',
] as const
type TileName = (typeof TILES)[number]

/** A figure of fewer than this says more than is known. */
const TOLD_FROM = 5

/** The figures of the period, each with its interval, what it is made of, and whether it changed. */
export function Tiles() {
  return (
    <div className="tiles">
      {TILES.map((name) => (
        <Tile key={name} name={name} />
      ))}
    </div>
  )
}

function Tile({ name }: { readonly name: TileName }) {
  const t = useTexts(texts)
  const asked = useMetric(name, null, true)
  return (
    <section className="tile" aria-label={t[name]} aria-busy={asked.is_old}>
      <h2>{t[name]}</h2>
      {asked.answer === undefined ? <Missing error={asked.error} /> : <Figure name={name} asked={asked} />}
      <Tools title={t[name]} asked={asked} />
    </section>
  )
}

type Group = MetricAnswer['groups'][number]

function Figure({ name, asked }: { readonly name: TileName; readonly asked: Asked<MetricAnswer> }) {
  const t = useTexts(texts)
  const formats = useFormats()
  const group = asked.answer?.groups[0]
  if (!asked.answer || !group || group.n === 0) return <p className="soft">{t.nothing_here}</p>
  const { unit, better } = asked.answer
  const { value, low, high, n } = group
  const is_few = n < TOLD_FROM
  return (
    <>
      <p className="tile-value number">
        {is_few ? t.too_few : value === null ? t.not_reached : formats.figure(unit, value)}
        {asked.answer.kind === 'duration' && value !== null && !is_few && <small>{t.median}</small>}
      </p>
      <p className="soft number">
        {is_few && t.too_few_hint}
        {!is_few && value === null && t.not_reached_hint}
        {!is_few &&
          low !== null &&
          high !== null &&
          value !== null &&
          t.interval(formats.figure(unit, low), formats.figure(unit, high))}
        {!is_few &&
          low !== null &&
          high === null &&
          value !== null &&
          t.interval_open(formats.figure(unit, low))}
      </p>
      <p className="soft number">
        <Counted name={name} group={group} />
      </p>
      <VerdictLine group={group} better={better} />
    </>
  )
}

function Counted({ name, group: { n, hits, duration } }: { readonly name: TileName; readonly group: Group }) {
  const t = useTexts(texts)
  const { count } = useFormats()
  if (duration)
    return duration.closed_without > 0
      ? t.counted_without(count(n), count(duration.open), count(duration.closed_without))
      : t.counted(count(n), count(duration.open))
  if (hits !== undefined) return t.hits_of(count(hits), count(n))
  return name === 'compression' ? t.counted_alerts(count(n)) : t.counted_incidents(count(n))
}

/** What the comparison comes to; better and worse are words, not colours. */
function VerdictLine({ group, better }: { readonly group: Group; readonly better: MetricAnswer['better'] }) {
  const t = useTexts(texts)
  const language = useLanguage()
  if (!group.compared) return null
  const { code, text } = group.compared.verdict
  const moved = code === 'lower' || code === 'higher'
  const is_better = (code === 'lower') === (better === 'less')
  return (
    <p className={moved ? 'tile-verdict moved' : 'tile-verdict'}>
      {moved && better !== null && <strong>{is_better ? t.better : t.worse}: </strong>}
      {language === 'en' ? text.en : text.zh}
    </p>
  )
}
