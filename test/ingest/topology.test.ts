import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readTopology, TopologyError, topologyParts } from '../../ingest/topology/read.ts'
import { LIMITS } from '../../schemas/limits.ts'

describe('a topology', () => {
  it('is a list of edges, in our words or those of others', () => {
    const edges = [
      { from: 'shop', to: 'db', kind: 'calls' },
      { source: 'shop-1', target: 'node-1', label: 'runs_on' },
      { source: 'a', target: 'b' },
    ]
    expect(readTopology({ nodes: [], edges })).toEqual([
      { from: 'shop', to: 'db', kind: 'calls' },
      { from: 'shop-1', to: 'node-1', kind: 'hosted_on' },
      { from: 'a', to: 'b', kind: 'related' },
    ])
  })

  it('is what kubectl tells: pods on nodes, and of the workload behind their replica set', () => {
    const pod = (name: string, owner: object[] | undefined, nodeName?: string) => ({
      kind: 'Pod',
      metadata: { name, namespace: 'shop', ownerReferences: owner },
      spec: { nodeName, containers: [] },
    })
    const set = {
      kind: 'ReplicaSet',
      metadata: { name: 'shop-5d9', ownerReferences: [{ kind: 'Deployment', name: 'shop' }] },
      spec: { replicas: 2 },
    }
    const items = [
      pod('shop-5d9-x', [{ kind: 'ReplicaSet', name: 'shop-5d9' }], 'node-1'),
      pod('db-0', [{ kind: 'StatefulSet', name: 'db' }]),
      pod('lone', undefined, 'node-2'),
      set,
    ]
    expect(readTopology({ apiVersion: 'v1', kind: 'List', items })).toEqual([
      { from: 'shop-5d9-x', to: 'node-1', kind: 'hosted_on' },
      { from: 'shop-5d9-x', to: 'shop', kind: 'instance_of' },
      { from: 'db-0', to: 'db', kind: 'instance_of' },
      { from: 'lone', to: 'node-2', kind: 'hosted_on' },
    ])
  })

  it('is the service graph that Prometheus tells', () => {
    const one = (client: string, server: string) => ({
      metric: { client, server, connection_type: '' },
      value: [0, '1'],
    })
    const result = [one('shop', 'db'), one('shop', 'db'), one('user', 'shop'), one('db', 'db')]
    expect(readTopology({ status: 'success', data: { resultType: 'vector', result } })).toEqual([
      { from: 'shop', to: 'db', kind: 'calls' },
    ])
  })

  it('is refused in words when it is none, whatever it is', () => {
    expect(() => readTopology({ edges: [{ from: 'a' }] })).toThrow(/wrong at edges\.0.*expected \{"edges"/)
    const edges = Array.from({ length: LIMITS.topology_edges + 1 }, () => ({
      from: 'a',
      to: 'b',
      kind: 'calls',
    }))
    expect(() => readTopology({ edges })).toThrow(/200001 edges, more than 200000; split it/)
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        try {
          readTopology(value)
        } catch (error) {
          if (!(error instanceof TopologyError)) throw error
        }
      }),
    )
  })

  it('goes into the log in parts, the last of them marked, under a version that follows from the content', () => {
    const edges = Array.from({ length: LIMITS.topology_edges_per_entry + 1 }, (_, i) => ({
      from: `a${i}`,
      to: 'b',
      kind: 'calls',
    }))
    const parts = topologyParts('file:x', '', edges)
    expect(parts.map((part) => [part.edges.length, part.last])).toEqual([
      [LIMITS.topology_edges_per_entry, false],
      [1, true],
    ])
    expect(topologyParts('file:y', '', edges)[0]?.version).toBe(parts[0]?.version)
    expect(topologyParts('file:x', 'other', edges)[0]?.version).not.toBe(parts[0]?.version)
  })
})
