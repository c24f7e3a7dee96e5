import { useQuery } from '@tanstack/react-query'
import { type FormEvent, useId, useState } from 'react'
import { setQuery, useLocation } from '../../router/location.ts'
import { request } from '../../server/request.ts'
import { useTexts } from '../../texts/catalogue.ts'
import { words } from '../../texts/words.ts'
import { texts } from './texts.ts'

interface Answer {
  readonly hub: boolean
  readonly relations: readonly {
    readonly to: string
    readonly kind: string
    readonly toward: 'dependency' | 'dependent'
    readonly source: string
  }[]
}

/** What is declared of one entity; the address names it. */
export function TopologyLookup() {
  const t = useTexts(texts)
  const w = useTexts(words)
  const { query } = useLocation()
  const asked = query.get('entity') ?? ''
  const scope = query.get('scope') ?? ''
  const [entity, setEntity] = useState(asked)
  const [of_scope, setScope] = useState(scope)
  const [entity_id, scope_id] = [useId(), useId()]
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setQuery({ entity: entity.trim(), scope: of_scope.trim() })
  }
  return (
    <>
      <p className="section-lead soft">{t.topology_hint}</p>
      <form className="lookup" onSubmit={submit}>
        <div>
          <label htmlFor={entity_id}>{t.entity}</label>
          <input id={entity_id} value={entity} onChange={(event) => setEntity(event.target.value)} />
        </div>
        <div>
          <label htmlFor={scope_id}>{w.scope}</label>
          <input id={scope_id} value={of_scope} onChange={(event) => setScope(event.target.value)} />
        </div>
        <button type="submit" className="button primary">
          {t.look_up}
        </button>
      </form>
      {asked !== '' && <Relations entity={asked} scope={scope} />}
    </>
  )
}

function Relations({ entity, scope }: { readonly entity: string; readonly scope: string }) {
  const t = useTexts(texts)
  const { data } = useQuery({
    queryKey: ['topology', scope, entity],
    queryFn: ({ signal }) =>
      request<Answer>(`/api/v1/topology?${new URLSearchParams({ entity, scope }).toString()}`, { signal }),
  })
  if (!data) return null
  if (data.relations.length === 0)
    return <p className="card notice-card soft">{data.hub ? t.hub : t.unknown_entity}</p>
  return (
    <div className="card">
      <table className="list-table">
        <thead>
          <tr>
            {[t.relation, t.other, t.kind, t.declared_by].map((title) => (
              <th key={title} scope="col">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {data.relations.map(({ to, kind, toward, source }) => (
            <tr key={`${toward} ${to} ${kind} ${source}`}>
              <td data-title={t.relation}>{toward === 'dependency' ? t.depends_on : t.needed_by}</td>
              <th scope="row">{to}</th>
              <td data-title={t.kind}>{kind}</td>
              <td data-title={t.declared_by}>{source}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
