import type { StoryAlert } from './story.ts'

interface Edge {
  /** Depends on `to`. */
  readonly from: string
  readonly to: string
  readonly kind: 'calls' | 'instance_of' | 'hosted_on'
}

/** What the services of the shop call. */
const CALLS: Readonly<Record<string, readonly string[]>> = {
  payment: ['db'],
  orders: ['db'],
  inventory: ['db'],
  cart: ['orders'],
  pricing: ['inventory'],
  shipping: ['orders'],
  checkout: ['cart', 'payment', 'pricing'],
  notifications: ['shipping'],
  storefront: ['checkout'],
}

/** How the shop hangs together: its services, the database below them all, and the pods that the story is about. */
export function shopTopology(alerts: Iterable<StoryAlert>): readonly Edge[] {
  const edges: Edge[] = Object.entries(CALLS).flatMap(([from, called]) =>
    called.map((to): Edge => ({ from, to, kind: 'calls' })),
  )
  edges.push({ from: 'db', to: 'db-1', kind: 'hosted_on' })
  const pods = new Map<string, string>()
  for (const { condition } of alerts) {
    const { pod, service } = condition.labels
    if (pod !== undefined && service !== undefined) pods.set(pod, service)
  }
  for (const [from, to] of pods) edges.push({ from, to, kind: 'instance_of' })
  return edges
}
