import { Graph as Dagre, layout } from '@dagrejs/dagre'
import type { FoldedGraph } from './graph.ts'

/** Where nodes and edges of a graph lie, in layers from what needs to what is needed. Loaded only when a graph is drawn. */

export interface Point {
  readonly x: number
  readonly y: number
}

export interface Placed {
  readonly width: number
  readonly height: number
  /** Middles of the nodes. */
  readonly nodes: ReadonlyMap<string, Point>
  readonly edges: readonly { readonly from: string; readonly to: string; readonly points: readonly Point[] }[]
}

export const NODE_WIDTH = 150
export const NODE_HEIGHT = 30

/** The same graph is always placed the same. */
export function placed({ nodes, edges }: FoldedGraph): Placed {
  const dagre = new Dagre()
  dagre.setGraph({ rankdir: 'TB', nodesep: 14, ranksep: 34, marginx: 8, marginy: 8 })
  dagre.setDefaultEdgeLabel(() => ({}))
  for (const { entity } of nodes) dagre.setNode(entity, { width: NODE_WIDTH, height: NODE_HEIGHT })
  for (const { from, to } of edges) dagre.setEdge(from, to)
  layout(dagre)
  const { width = 0, height = 0 } = dagre.graph() as { width?: number; height?: number }
  return {
    width,
    height,
    nodes: new Map(
      nodes.map(({ entity }) => {
        const { x, y } = dagre.node(entity) as Point
        return [entity, { x, y }]
      }),
    ),
    edges: edges.map(({ from, to }) => ({
      from,
      to,
      points: (dagre.edge(from, to) as { points: Point[] }).points,
    })),
  }
}
