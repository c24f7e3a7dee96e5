import { type Fields, fieldsOf, listOf, optionalFields, textOf } from './fields.ts'

/** What all signals of OpenTelemetry (OTLP in JSON) have in common. */

/** Attributes of the resource that are labels, under the names that other sources use. */
const RESOURCE_LABELS: Readonly<Record<string, string>> = {
  'service.name': 'service',
  'service.namespace': 'service_namespace',
  'host.name': 'host',
  'k8s.cluster.name': 'cluster',
  'k8s.namespace.name': 'namespace',
  'k8s.pod.name': 'pod',
  'deployment.environment.name': 'environment',
  'deployment.environment': 'environment',
}

/** A value of OTLP: one key says its type. */
export function valueOf(value: unknown): unknown {
  const given = optionalFields(typeof value === 'object' && !Array.isArray(value) ? value : null, 'the value')
  const { arrayValue, kvlistValue, ...scalars } = given
  const list: unknown = optionalFields(arrayValue, 'arrayValue')['values']
  if (Array.isArray(list)) return list.map((item) => valueOf(item))
  const pairs: unknown = optionalFields(kvlistValue, 'kvlistValue')['values']
  if (Array.isArray(pairs)) return attributesOf(pairs)
  return Object.values(scalars)[0]
}

/** Throws Unreadable. */
export function attributesOf(list: unknown): Fields {
  if (list === undefined || list === null) return {}
  const pairs = listOf(list, 'attributes').map((item): [string, unknown] => {
    const { key, value } = fieldsOf(item, 'the attribute')
    return [textOf(key), valueOf(value)]
  })
  return Object.fromEntries(pairs.filter(([key]) => key !== ''))
}

/** What a resource is called elsewhere; empty values are not left out. */
export function labelsOfResource(attributes: Fields): Fields {
  const pairs = Object.entries(RESOURCE_LABELS).map(([key, label]) => [label, attributes[key]] as const)
  return Object.fromEntries(pairs.filter(([, value]) => value !== undefined))
}
