import { useQuery } from '@tanstack/react-query'
import type { Rules } from '../../../schemas/rules.ts'
import { duration } from '../../parts/time.tsx'
import { request, ServerError } from '../../server/request.ts'
import { useLanguage, useTexts } from '../../texts/catalogue.ts'
import { MatcherList } from './matcher_list.tsx'
import { texts } from './texts.ts'

type GroupingRule = Rules['grouping'][number]

/** The rules in force, as the server has them. */
export function Grouping() {
  const t = useTexts(texts)
  const { data, error } = useQuery({ queryKey: ['rules'], queryFn: () => request<Rules>('/api/v1/rules') })
  if (error instanceof ServerError && !data)
    return (
      <p className="card notice-card" role="alert">
        {t.unreadable(error.code)} {error.remedy}
      </p>
    )
  return data ? <InForce rules={data} /> : null
}

function InForce({ rules }: { readonly rules: Rules }) {
  const t = useTexts(texts)
  return (
    <>
      <p className="section-lead">
        <strong>{t.version(rules.version)}</strong> <span className="soft">{t.version_hint}</span>
      </p>
      <OwnRules rules={rules.grouping} />
      <h2 className="page-h2">
        {t.by_evidence} <small className="soft">{t.evidence_hint}</small>
      </h2>
      <Figures rows={useEvidenceRows(rules)} />
      <h2 className="page-h2">{t.other_rules}</h2>
      <Figures rows={useOtherRows(rules)} />
    </>
  )
}

type Row = readonly [name: string, value: string]

function Figures({ rows }: { readonly rows: readonly Row[] }) {
  return (
    <dl className="card figures">
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd className="number">{value}</dd>
        </div>
      ))}
    </dl>
  )
}

function useEvidenceRows({ evidence }: Rules): readonly Row[] {
  const t = useTexts(texts)
  const language = useLanguage()
  const number = new Intl.NumberFormat(language)
  const { join_at, quiet_ms, same_entity_ms, weights } = evidence
  return [
    [t.threshold, number.format(join_at)],
    [t.weight_entity, number.format(weights.entity)],
    [t.weight_related, number.format(weights.related)],
    [t.weight_kind, number.format(weights.kind)],
    [t.weight_time, number.format(weights.time)],
    [t.quiet, duration(language, quiet_ms)],
    [t.same_entity, duration(language, same_entity_ms)],
  ]
}

function useOtherRows({
  resolve_timeout_ms,
  reopen_within_ms,
  flapping,
  suppression,
  learned,
}: Rules): readonly Row[] {
  const t = useTexts(texts)
  const language = useLanguage()
  const number = new Intl.NumberFormat(language)
  return [
    [t.resolve_timeout, duration(language, resolve_timeout_ms)],
    [t.reopen_within, duration(language, reopen_within_ms)],
    [
      t.flapping,
      flapping.interval_ms === 0 ? t.off : `${flapping.start_percent} %, ${flapping.end_percent} %`,
    ],
    [t.suppression, number.format(suppression.length)],
    [t.learned, `${number.format(learned.pairs.length)}, ${number.format(learned.chronic.length)}`],
  ]
}

function OwnRules({ rules }: { readonly rules: readonly GroupingRule[] }) {
  const t = useTexts(texts)
  if (rules.length === 0)
    return (
      <>
        <h2 className="page-h2">{t.own_rules}</h2>
        <p className="card notice-card soft">{t.no_rules}</p>
      </>
    )
  return (
    <>
      <h2 className="page-h2">{t.own_rules}</h2>
      <div className="card">
        <table className="list-table">
          <thead>
            <tr>
              {[t.rule, t.matches, t.what].map((title) => (
                <th key={title} scope="col">
                  {title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rules.map((rule) => (
              <OwnRule key={rule.name} rule={rule} />
            ))}
          </tbody>
        </table>
      </div>
    </>
  )
}

function OwnRule({ rule }: { readonly rule: GroupingRule }) {
  const t = useTexts(texts)
  const what = useMeaning(rule)
  const match = 'match' in rule ? rule.match : []
  return (
    <tr>
      <th scope="row">{rule.name}</th>
      <td data-title={t.matches}>{match.length === 0 ? t.everything : <MatcherList matchers={match} />}</td>
      <td data-title={t.what}>{what}</td>
    </tr>
  )
}

function useMeaning(rule: GroupingRule): string {
  const t = useTexts(texts)
  const language = useLanguage()
  const list = new Intl.ListFormat(language)
  switch (rule.kind) {
    case 'time_frame':
      return t.rule_time_frame(duration(language, rule.within_ms))
    case 'any_of':
      return t.rule_any_of(list.format(rule.any_of))
    case 'pairs':
      return t.rule_pairs(rule.pairs.length)
    case 'never':
      return t.rule_never
    case 'separate':
      return t.rule_separate(list.format(rule.separate))
    case 'group_by':
    case undefined:
      return t.rule_group_by(list.format(rule.group_by))
  }
}
