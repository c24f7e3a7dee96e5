/** The keys of the configuration, read from the JSON Schema of its zod schema. */
import { config } from '../../schemas/config.ts'

export interface Node {
  readonly description?: string
  readonly default?: unknown
  readonly examples?: readonly unknown[]
  readonly type?: string
  readonly format?: string
  readonly const?: string
  readonly enum?: readonly string[]
  readonly minimum?: number
  readonly maximum?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly minItems?: number
  readonly maxItems?: number
  readonly pattern?: string
  readonly properties?: Readonly<Record<string, Node>>
  readonly required?: readonly string[]
  readonly items?: Node
  readonly additionalProperties?: Node | boolean
  readonly anyOf?: readonly Node[]
  readonly oneOf?: readonly Node[]
}

/** One key: where it stands, and what the schema says of it. */
export interface Key {
  /** As in messages of `tocsin check`, with `[]` for the entries of a list and the kind of an entry in brackets. */
  readonly path: string
  readonly node: Node
  readonly required: boolean
}

export function configNode(): Node {
  return config.toJSONSchema({ io: 'input' }) as Node
}

/** A union of two ways to name a secret: one key to its reader. */
export function isSecret(node: Node): boolean {
  return node.anyOf?.every(({ properties }) => properties?.['env'] ?? properties?.['file']) ?? false
}

/** Every key with the keys inside it, in the order of the schema. */
export function keysOf(node: Node, prefix = ''): Key[] {
  return Object.entries(node.properties ?? {}).flatMap(([name, inner]) => {
    const path = `${prefix}${name}`
    const key = { path, node: inner, required: node.required?.includes(name) ?? false }
    return [key, ...keysInside(inner, path)]
  })
}

function keysInside(node: Node, path: string): Key[] {
  if (isSecret(node)) return []
  const branches = node.items?.oneOf
  if (branches)
    return branches.flatMap((branch) =>
      keysOf(branch, `${path}[${branch.properties?.['kind']?.const ?? ''}].`),
    )
  if (node.items) return keysOf(node.items, `${path}[].`)
  return keysOf(node, `${path}.`)
}
