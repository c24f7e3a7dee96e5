import { readFileSync } from 'node:fs'
import { readTopology, TopologyError, topologyParts } from '../ingest/topology/read.ts'
import type { TopologyPart } from '../schemas/topology.ts'
import { Misconfigured } from './errors.ts'

/** What one source says of the topology, in parts for the log. */
export interface Topology {
  readonly source: string
  readonly version: string
  readonly parts: readonly TopologyPart[]
}

/** Sources of the configuration begin with this; what was put over HTTP does not. */
export const FILE_SOURCE = 'file:'

/** Reads a file of the configuration or the command line (JSON; ingest/topology/read.ts). Throws Misconfigured. */
export function readTopologyFile(name: string, path: string, scope: string): Topology {
  const source = FILE_SOURCE + name
  const parts = topologyParts(source, scope, edgesIn(path))
  return { source, version: parts[0]?.version ?? '', parts }
}

function edgesIn(path: string) {
  try {
    return readTopology(JSON.parse(readFileSync(path, 'utf8')))
  } catch (error) {
    if (error instanceof TopologyError) throw new Misconfigured(error.code, `${path}: ${error.message}`)
    if (error instanceof SyntaxError)
      throw new Misconfigured('topology-json', `${path} is not JSON: ${error.message}`)
    const { code } = error as NodeJS.ErrnoException
    if (code === undefined) throw error
    throw new Misconfigured('topology-unreadable', `the topology ${path} cannot be read (${code})`)
  }
}
