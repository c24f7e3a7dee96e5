import { fieldsOf, optionalFields, textOf, timeOf } from './fields.ts'
import { Unreadable } from './format.ts'
import { oneStatement, wordOf } from './statement.ts'

/** The common alert schema of Azure Monitor. `alertId` names an alert in its fired and in its resolved message. */

/** The last part of a resource's id, and the resource group in it. */
function resourceOf(target: string): { readonly resource: string; readonly group: string } {
  const parts = target.split('/')
  const group = parts.findIndex((part) => part.toLowerCase() === 'resourcegroups')
  return { resource: parts.at(-1) ?? '', group: group < 0 ? '' : (parts[group + 1] ?? '') }
}

export const azureMonitor = oneStatement((body) => {
  if (body['schemaId'] !== 'azureMonitorCommonAlertSchema')
    throw new Unreadable(
      'schema-unknown',
      'schemaId is not azureMonitorCommonAlertSchema: enable the common alert schema',
    )
  const data = fieldsOf(body['data'], 'data')
  const essentials = fieldsOf(data['essentials'], 'data.essentials')
  const condition = wordOf(essentials['monitorCondition'])
  if (condition !== 'fired' && condition !== 'resolved')
    throw new Unreadable('status-unknown', 'monitorCondition is neither Fired nor Resolved')
  const targets: unknown = essentials['alertTargetIDs']
  const target = Array.isArray(targets) ? textOf(targets[0]) : ''
  const { resource, group } = resourceOf(target)
  return {
    identity: { azure_alert: essentials['alertId'] },
    labels: {
      alertname: essentials['alertRule'],
      severity: essentials['severity'],
      instance: resource,
      resource_group: group,
      signal: essentials['signalType'],
      monitoring_service: essentials['monitoringService'],
    },
    annotations: {
      description: essentials['description'],
      target,
      context: data['alertContext'],
      ...optionalFields(data['customProperties'], 'data.customProperties'),
    },
    link: essentials['investigationLink'],
    is_over: condition === 'resolved',
    started_ms: timeOf(essentials['firedDateTime'], 'firedDateTime'),
    ended_ms: timeOf(essentials['resolvedDateTime'], 'resolvedDateTime'),
  }
})
