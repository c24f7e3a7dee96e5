/**
 * deploy/tocsin.example.yaml: every key with its meaning. Keys with a default stand as they are; the others are
 * commented out without a space after the `#`, as whole blocks, so that they can be told from prose.
 */
import { Document, isMap, isScalar, isSeq, visit } from 'yaml'
import { configNode, isSecret, type Node } from './keys.ts'

const HEAD = `# yaml-language-server: $schema=../schemas/json/config.schema.json
#
# Every key of Tocsin's configuration, with its default. Nothing here is needed: copy what you change.
# Lines such as \`#key: value\` are examples of what has no default: take the first \`#\` away.
# Durations are in milliseconds. Check the result with: tocsin check --config FILE
# Generated from schemas/config.ts by \`npm run generate\`.
`

const WIDTH = 110
const indentOf = (depth: number) => '  '.repeat(depth)

export function exampleYaml(): string {
  const root = Object.entries(configNode().properties ?? {})
  const blocks = root.map(([name, node]) => [...prose(node, 0), ...keyLines(name, node, 0, false)].join('\n'))
  return `${HEAD}\n${blocks.join('\n\n')}\n`
}

function section(node: Node, depth: number): string[] {
  return Object.entries(node.properties ?? {}).flatMap(([name, inner]) => [
    ...prose(inner, depth),
    ...keyLines(name, inner, depth, node.required?.includes(name) ?? false),
  ])
}

/** What is not needed and has no default is commented out; what is needed goes with its section. */
function keyLines(name: string, node: Node, depth: number, needed: boolean): string[] {
  const [example] = node.examples ?? []
  if (node.properties && example === undefined) {
    const lines = [`${indentOf(depth)}${name}:`, ...section(node, depth + 1)]
    return node.default === undefined ? commented(lines, depth) : lines
  }
  if (node.default === undefined) {
    const lines = yamlLines({ [name]: example ?? exampleOf(name, node) }, depth)
    return needed ? lines : commented(lines, depth)
  }
  if (node.items?.properties ?? node.items?.oneOf) return listLines(name, node, depth)
  if (example === undefined) return yamlLines({ [name]: node.default }, depth)
  return [`${indentOf(depth)}${name}:`, ...commented(yamlLines(example, depth + 1), depth + 1)]
}

/** A list of entries, for each kind its keys and examples; rules of the default stand last, because the first match decides. */
function listLines(name: string, node: Node, depth: number): string[] {
  const given = node.default as unknown[]
  const examples = (node.examples?.[0] ?? []) as { kind?: string }[]
  const kinds = node.items?.oneOf ?? [node.items as Node]
  return [
    `${indentOf(depth)}${name}:`,
    ...kinds.flatMap((kind) => {
      const ours = examples.filter((entry) => entry.kind === kind.properties?.['kind']?.const)
      return [
        ...entryProse(kind, depth + 1),
        ...commented(
          ours.flatMap((entry) => yamlLines([entry], depth + 1)),
          depth + 1,
        ),
      ]
    }),
    ...given.flatMap((entry) => yamlLines([entry], depth + 1)),
  ]
}

function entryProse(kind: Node, depth: number): string[] {
  return Object.entries(kind.properties ?? {}).flatMap(([name, node]) => {
    const label = node.const === undefined ? name : `${name}: ${node.const}`
    return prose({ ...node, description: `${label}: ${node.description ?? ''}` }, depth)
  })
}

/** What it means and what is allowed, wrapped. */
function prose(node: Node, depth: number): string[] {
  const start = `${indentOf(depth)}# `
  const listed = node.enum?.some((word) => node.description?.includes(word)) ?? false
  const allowed = node.enum && !listed ? ` (${node.enum.join(', ')})` : ''
  const words = `${node.description ?? ''}${allowed}${bounds(node)}`.split(' ')
  const lines: string[] = []
  let line = start + (words.shift() ?? '')
  for (const word of words) {
    if (line.length + word.length + 1 > WIDTH) {
      lines.push(line)
      line = start + word
    } else line += ` ${word}`
  }
  return [...lines, line]
}

function bounds({ minimum, maximum }: Node): string {
  return minimum === undefined || maximum === undefined ? '' : ` (${minimum} to ${maximum})`
}

/** Lists of words and single keys stand on one line. */
function yamlLines(value: unknown, depth: number): string[] {
  const document = new Document(value)
  visit(document, {
    Collection: (_key, node) => {
      if (isSeq(node) && node.items.length > 0 && node.items.every(isScalar)) node.flow = true
      if (isMap(node) && node.items.length === 1 && ['env', 'file'].includes(String(node.items[0]?.key)))
        node.flow = true
    },
  })
  const text = document.toString({ lineWidth: 0, flowCollectionPadding: false })
  return text
    .trimEnd()
    .split('\n')
    .map((line) => indentOf(depth) + line)
}

function commented(lines: readonly string[], depth: number): string[] {
  return lines.map((line) => `${line.slice(0, depth * 2)}#${line.slice(depth * 2)}`)
}

function exampleOf(name: string, node: Node): unknown {
  if (isSecret(node)) return { env: `TOCSIN_${name.toUpperCase()}` }
  throw new Error(`the key ${name} has neither a default nor an example: give it .meta({ examples: […] })`)
}
