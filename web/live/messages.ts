import type { IncidentSummary } from '../../schemas/incident_summary.ts'

/** What the connection to the server says to the pages, across the border of a worker. */

export type ConnectionState =
  | { readonly state: 'connecting' }
  | { readonly state: 'catching-up' }
  | { readonly state: 'live' }
  /** `since_ms`: when the last word of the server came. */
  | { readonly state: 'stale'; readonly since_ms: number; readonly retry_at_ms: number }

export type FeedMessage =
  | { readonly kind: 'connection'; readonly connection: ConnectionState }
  | {
      readonly kind: 'incidents'
      readonly incidents: readonly IncidentSummary[]
      /** Ids of incidents that the server keeps no longer. */
      readonly gone: readonly string[]
    }
  /** Changes are missing: everything is to be read again. */
  | { readonly kind: 'resync' }
  /** The server's clock. */
  | { readonly kind: 'clock'; readonly now_ms: number }

export type PageMessage = { readonly kind: 'hello' | 'connect-now' | 'bye' }
