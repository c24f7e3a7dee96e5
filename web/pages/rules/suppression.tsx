import { useQuery } from '@tanstack/react-query'
import type { Rules } from '../../../schemas/rules.ts'
import { request } from '../../server/request.ts'
import { useTexts } from '../../texts/catalogue.ts'
import { texts } from './in_force_texts.ts'
import { MatcherList } from './matcher_list.tsx'

/** What is held back while something else fires. */
export function Suppression() {
  const t = useTexts(texts)
  const { data } = useQuery({ queryKey: ['rules'], queryFn: () => request<Rules>('/api/v1/rules') })
  if (!data) return null
  if (data.suppression.length === 0) return <p className="card notice-card soft">{t.no_suppression}</p>
  return (
    <div className="card">
      <table className="list-table">
        <thead>
          <tr>
            {[t.rule, t.source, t.target, t.equal].map((title) => (
              <th key={title} scope="col">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {data.suppression.map(({ name, source, target, equal, behind }) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td data-title={t.source}>
                <MatcherList matchers={source} />
              </td>
              <td data-title={t.target}>
                <MatcherList matchers={target} />
              </td>
              <td data-title={t.equal}>
                <span>
                  <code>{equal.join(', ') || '–'}</code> {behind && t.behind}
                </span>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <p className="hint table-hint">{t.suppression_hint}</p>
    </div>
  )
}
