import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { graphOf, type IncidentGraph, type Related, type Relation } from '../../api/incident_graph.ts'
import { eventually } from '../contracts/wait.ts'
import { call, startWorld, type World } from './world.ts'

const EDGES = [
  { from: 'pod-1', to: 'orders', kind: 'instance_of' },
  { from: 'pod-2', to: 'payment', kind: 'instance_of' },
  { from: 'orders', to: 'db', kind: 'calls' },
  { from: 'payment', to: 'db', kind: 'calls' },
  { from: 'report', to: 'archive', kind: 'calls' },
]

describe('how the entities of an incident hang together', () => {
  let world: World
  beforeAll(async () => {
    world = await startWorld()
  })
  afterAll(() => world.close())

  const graph = async (id: string) =>
    (await call(world.url, `/api/v1/incidents/${id}/topology`)).body as IncidentGraph

  it('is read off labels while nothing is declared: what some have in common, not what all have', async () => {
    const incident = await world.fire({ labels: { alertname: 'Named', instance: 'pod-7' } })
    const [member] = incident.members
    if (!member) throw new Error('no member')
    const entities = ['pod-7', 'pod-8', 'pod-9']
    const members = entities.map((entity) => ({ ...member, entity }))
    const names = (to: string): Relation => ({ to, kind: 'node', toward: 'dependency', source: null })
    const related = new Map<string, Related>([
      ['pod-7', { hub: false, relations: [names('worker-1'), names('shop')] }],
      ['pod-8', { hub: false, relations: [names('worker-1'), names('shop')] }],
      ['pod-9', { hub: false, relations: [names('worker-2'), names('shop')] }],
    ])
    const { nodes, edges } = graphOf({ ...incident, members, causes: [] }, related)
    expect(nodes.map(({ entity }) => entity)).toEqual([...entities, 'worker-1'])
    expect(edges).toEqual([
      { from: 'pod-7', to: 'worker-1', kind: 'node', source: null },
      { from: 'pod-8', to: 'worker-1', kind: 'node', source: null },
    ])
  })

  it('is what a topology declares, with what stands between, and nothing else', async () => {
    await call(world.url, '/api/v1/topology/mesh', { method: 'PUT', json: { edges: EDGES } })
    await eventually('it is known', async () => {
      const { body } = await call(world.url, '/api/v1/topology?entity=db')
      return (body as { relations: unknown[] }).relations.length === 2
    })
    await world.fire({ labels: { alertname: 'Declared', instance: 'pod-1' } })
    const { id } = await world.fire({ labels: { alertname: 'Declared', instance: 'pod-2' } })
    const { nodes, edges, left_out } = await graph(id)
    expect(nodes.map(({ entity }) => entity).toSorted()).toEqual([
      'db',
      'orders',
      'payment',
      'pod-1',
      'pod-2',
    ])
    expect(edges).toContainEqual({ from: 'orders', to: 'db', kind: 'calls', source: 'mesh' })
    expect(edges).toHaveLength(4)
    expect(left_out).toBe(0)
  })

  it('is not known of an incident that is not kept', async () => {
    expect((await call(world.url, '/api/v1/incidents/inc_none/topology')).status).toBe(404)
  })
})
