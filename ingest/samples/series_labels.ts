import type { Labels } from '../../schemas/alert.ts'

/** Labels of a sender with what is measured. Where the sender has a label of that name itself, it becomes `exported_…`. */
export function seriesLabels(metric: string, given: Labels, unit = ''): Labels {
  const told = unit === '' ? { metric } : { metric, unit }
  const taken = Object.keys(told).filter((name) => Object.hasOwn(given, name))
  const renamed = taken.map((name) => [`exported_${name}`, given[name] ?? ''] as const)
  const labels = { ...given, ...Object.fromEntries(renamed), ...told }
  if (metric !== '') return labels
  const { metric: _none, ...rest } = labels
  return rest
}
