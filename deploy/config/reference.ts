/** docs/configuration.md: every key in a table. */
import { isSecret, type Key, keysOf, configNode, type Node } from './keys.ts'

const INTRODUCTION = `# Configuration

Tocsin runs without a configuration file. \`tocsin start --config tocsin.yaml\` reads one, and \`tocsin check --config tocsin.yaml\` names every mistake with its line. [deploy/tocsin.example.yaml](../deploy/tocsin.example.yaml) shows every key in place; editors that speak the YAML language server check it against [schemas/json/config.schema.json](../schemas/json/config.schema.json).

- Unknown keys are mistakes; a key without a value is one that was left out.
- \`TOCSIN_LISTEN\` and \`TOCSIN_DATA_DIR\` in the environment override \`listen\` and \`data_dir\`. No other variable is read but those that the configuration names for secrets, and \`TOCSIN_TOKEN\` by \`tocsin demo\` and \`tocsin doctor\`.
- A secret is never written into the file: \`{env: NAME}\` names the environment variable that holds it, \`{file: PATH}\` the file.
- Durations are whole milliseconds.

This page is generated from \`schemas/config.ts\` by \`npm run generate\`. In paths, \`[]\` stands for the entries of a list, and \`[webhook]\` for those of that kind.

| key | type | default | bounds | meaning |
|---|---|---|---|---|
`

export function reference(): string {
  return INTRODUCTION + keysOf(configNode()).map(row).join('\n') + '\n'
}

function row({ path, node, required }: Key): string {
  const cells = [
    `\`${path}\``,
    typeOf(node),
    required ? '**needed**' : defaultOf(node),
    bounds(node),
    node.description ?? '',
  ]
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
}

function typeOf(node: Node): string {
  if (isSecret(node)) return 'secret'
  if (node.const !== undefined) return `\`${node.const}\``
  if (node.enum) return node.enum.map((value) => `\`${value}\``).join(', ')
  if (node.items) return `list of ${entriesOf(node.items)}`
  if (node.format === 'uri') return 'address (URL)'
  if (node.type === 'object')
    return typeof node.additionalProperties === 'object'
      ? `text → ${typeOf(node.additionalProperties)}`
      : 'section'
  return TYPES[node.type ?? ''] ?? node.type ?? ''
}

function entriesOf(items: Node): string {
  if (items.oneOf ?? items.properties) return 'entries'
  return items.type === 'string' && !items.enum ? 'texts' : typeOf(items)
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'text',
  integer: 'whole number',
  number: 'number',
  boolean: '`true`, `false`',
}

function defaultOf(node: Node): string {
  const value = node.default
  if (value === undefined) return 'none'
  if (node.properties) return ''
  return `\`${JSON.stringify(value)}\``
}

function bounds(node: Node): string {
  if (node.minimum !== undefined || node.maximum !== undefined)
    return `${node.minimum ?? ''} to ${node.maximum ?? ''}`
  if (node.minItems !== undefined || node.maxItems !== undefined) {
    return `${node.minItems ?? 0} to ${node.maxItems ?? 'any number of'} entries`
  }
  if (node.maxLength !== undefined) return `${node.minLength ?? 0} to ${node.maxLength} characters`
  return ''
}
