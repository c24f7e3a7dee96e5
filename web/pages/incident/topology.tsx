import { useQuery } from '@tanstack/react-query'
import { lazy, Suspense, useMemo, useState } from 'react'
import { Button } from '../../parts/button.tsx'
import { SeverityMark } from '../../parts/severity.tsx'
import { request } from '../../server/request.ts'
import { useTexts } from '../../texts/catalogue.ts'
import { words } from '../../texts/words.ts'
import { folded, type FoldedGraph, type FoldedNode, type Graph } from './graph.ts'
import { Section } from './section.tsx'
import { texts } from './texts.ts'

const GraphPicture = lazy(async () => ({ default: (await import('./graph_picture.tsx')).GraphPicture }))

/** Where the incident happens: what needs what. Asked for once, so that it does not move while somebody looks. */
export function Topology({ id }: { readonly id: string }) {
  const t = useTexts(texts)
  const [list, setList] = useState(false)
  const { data } = useQuery({
    queryKey: ['incident-topology', id],
    queryFn: ({ signal }) =>
      request<Graph>(`/api/v1/incidents/${encodeURIComponent(id)}/topology`, { signal }),
    staleTime: Number.POSITIVE_INFINITY,
  })
  const graph = useMemo(() => data && folded(data), [data])
  if (!graph) return null
  const is_empty = graph.edges.length === 0
  return (
    <Section
      title={t.topology}
      tools={
        !is_empty && (
          <Button kind="quiet" onPress={() => setList(!list)}>
            {list ? t.as_graph : t.as_list}
          </Button>
        )
      }
    >
      {is_empty && <p className="soft">{t.no_topology}</p>}
      {!is_empty && !list && (
        <Suspense fallback={<div className="graph skeleton" />}>
          <GraphPicture graph={graph} />
        </Suspense>
      )}
      {!is_empty && list && <GraphList graph={graph} />}
      {!is_empty && (
        <p className="hint">
          {t.arrow} {graph.left_out > 0 && t.left_out(graph.left_out)}
        </p>
      )}
    </Section>
  )
}

/** What stands for several is named by the first of them and how many there are. */
export function useNodeName(): (node: FoldedNode) => string {
  const t = useTexts(texts)
  return ({ entity, entities }) => (entities.length > 1 ? t.folded(entity, entities.length) : entity)
}

function GraphList({ graph: { nodes, edges } }: { readonly graph: FoldedGraph }) {
  const t = useTexts(texts)
  const w = useTexts(words)
  const nameOf = useNodeName()
  const names = new Map(nodes.map((node) => [node.entity, nameOf(node)]))
  const beside = (entity: string, side: 'from' | 'to') =>
    edges
      .filter((edge) => edge[side] === entity)
      .map((edge) => names.get(side === 'from' ? edge.to : edge.from))
      .join(', ')
  return (
    <table className="graph-list">
      <thead>
        <tr>
          <th scope="col">{w.entity}</th>
          <th scope="col">{t.depends_on}</th>
          <th scope="col">{t.needed_by}</th>
        </tr>
      </thead>
      <tbody>
        {nodes.map((node) => (
          <tr key={node.entity}>
            <th scope="row">
              {node.severity && <SeverityMark severity={node.severity} muted={!node.firing} />} {nameOf(node)}
              {node.severity && <span className="unseen"> {w[node.severity]}</span>}
            </th>
            <td>{beside(node.entity, 'from')}</td>
            <td>{beside(node.entity, 'to')}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
