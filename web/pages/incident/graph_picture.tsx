import { useMemo } from 'react'
import { SEVERITY_SHAPES } from '../../parts/severity.tsx'
import { useTexts } from '../../texts/catalogue.ts'
import type { FoldedGraph, FoldedNode } from './graph.ts'
import { NODE_HEIGHT, NODE_WIDTH, type Placed, placed, type Point } from './layout.ts'
import { texts } from './texts.ts'
import { useNodeName } from './topology.tsx'

const MARK_PX = 14
const NAME_CHARS_MAX = 19

/** The graph as a picture; its list form says the same in words. */
export function GraphPicture({ graph }: { readonly graph: FoldedGraph }) {
  const t = useTexts(texts)
  const place: Placed = useMemo(() => placed(graph), [graph])
  return (
    <div className="graph">
      <svg
        role="img"
        aria-label={t.graph_label(graph.nodes.length, graph.edges.length)}
        viewBox={`0 0 ${place.width} ${place.height}`}
        style={{ width: place.width, maxWidth: '100%' }}
      >
        <defs>
          <marker
            id="arrow"
            viewBox="0 0 8 8"
            refX="7"
            refY="4"
            markerWidth="7"
            markerHeight="7"
            orient="auto"
          >
            <path d="M0 0 8 4 0 8z" className="graph-arrow" />
          </marker>
        </defs>
        {place.edges.map(({ from, to, points }) => (
          <path key={`${from} ${to}`} className="graph-edge" d={pathOf(points)} markerEnd="url(#arrow)" />
        ))}
        {graph.nodes.map((node) => (
          <Node key={node.entity} node={node} at={place.nodes.get(node.entity)} />
        ))}
      </svg>
    </div>
  )
}

function pathOf(points: readonly Point[]): string {
  return points.map(({ x, y }, i) => `${i === 0 ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`).join('')
}

/** A long name keeps its beginning and its end, which tell pods of one service apart. */
function shortened(name: string, chars_max: number): string {
  if (name.length <= chars_max) return name
  const tail = Math.floor(chars_max / 3)
  return `${name.slice(0, chars_max - tail - 1)}…${name.slice(-tail)}`
}

function Node({ node, at }: { readonly node: FoldedNode; readonly at: Point | undefined }) {
  const nameOf = useNodeName()
  if (!at) return null
  const { entity, entities, severity, firing, cause } = node
  const left = at.x - NODE_WIDTH / 2
  const many = entities.length > 1
  const count = many ? ` ×${entities.length}` : ''
  const room = NAME_CHARS_MAX - count.length - (severity ? 2 : 0)
  const text_x = left + (severity ? 30 : 10)
  return (
    <g className={`graph-node${severity ? ' alerting' : ''}${cause === 1 ? ' cause' : ''}`}>
      <title>{nameOf(node)}</title>
      {many && (
        <rect x={left + 3} y={at.y - NODE_HEIGHT / 2 + 3} width={NODE_WIDTH} height={NODE_HEIGHT} rx="4" />
      )}
      <rect x={left} y={at.y - NODE_HEIGHT / 2} width={NODE_WIDTH} height={NODE_HEIGHT} rx="4" />
      {severity && (
        <svg
          x={left + 9}
          y={at.y - MARK_PX / 2}
          width={MARK_PX}
          height={MARK_PX}
          viewBox="0 0 16 16"
          className="severity"
          data-severity={firing ? severity : 'over'}
        >
          <path d={SEVERITY_SHAPES[severity]} />
        </svg>
      )}
      <text x={text_x} y={at.y + 4.5}>
        {shortened(entity, room)}
        {many && <tspan className="graph-count">{count}</tspan>}
      </text>
    </g>
  )
}
