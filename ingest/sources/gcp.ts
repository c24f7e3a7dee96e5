import { type Fields, fieldsOf, optionalFields, timeOf } from './fields.ts'
import { Unreadable } from './format.ts'
import { oneStatement, wordOf } from './statement.ts'

/** Google Cloud Monitoring's webhook (version 1.2). An incident there is an alert here. */

const prefixed = (prefix: string, labels: unknown): Fields =>
  Object.fromEntries(
    Object.entries(optionalFields(labels, `${prefix} labels`)).map(([name, value]) => [
      `${prefix}_${name}`,
      value,
    ]),
  )

export const gcpMonitoring = oneStatement((body) => {
  const incident = fieldsOf(body['incident'], 'incident')
  const state = wordOf(incident['state'])
  if (state !== 'open' && state !== 'closed')
    throw new Unreadable('status-unknown', 'incident.state is neither open nor closed')
  const resource = optionalFields(incident['resource'], 'incident.resource')
  const documentation = optionalFields(incident['documentation'], 'incident.documentation')
  return {
    identity: { gcp_incident: incident['incident_id'] },
    labels: {
      alertname: incident['policy_name'],
      severity: incident['severity'],
      condition: incident['condition_name'],
      instance: incident['resource_name'],
      project: incident['scoping_project_id'],
      resource_type: resource['type'],
      ...prefixed('resource', resource['labels']),
      ...prefixed('policy', incident['policy_user_labels']),
    },
    annotations: {
      summary: incident['summary'],
      description: documentation['content'],
      observed_value: incident['observed_value'],
      threshold_value: incident['threshold_value'],
    },
    link: incident['url'],
    is_over: state === 'closed',
    started_ms: timeOf(incident['started_at'], 'started_at'),
    ended_ms: timeOf(incident['ended_at'], 'ended_at'),
  }
})
