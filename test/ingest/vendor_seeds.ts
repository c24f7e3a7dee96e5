/** Messages of vendors as they document them, with what differs when the alert is over. */

const ZABBIX = {
  event_id: '4211',
  event_value: '1',
  event_name: 'High CPU utilization (over 90% for 5m)',
  trigger_name: 'High CPU utilization',
  severity: '4',
  host: 'db-1',
  host_ip: '10.0.0.7',
  host_groups: 'Databases',
  tags: '[{"tag":"scope","value":"performance"},{"tag":"noisy","value":""}]',
  message: 'Problem started at 11:58:00',
  operational_data: 'Current utilization: 97 %',
  started_at: '2026-11-25T11:58:00Z',
  update_status: '0',
  url: 'https://zabbix.example/tr_events.php?eventid=4211',
}

const ZABBIX_CONNECTOR = {
  clock: 1795607880,
  ns: 157000000,
  value: 1,
  eventid: 4211,
  name: 'High CPU utilization',
  severity: 5,
  hosts: [{ host: 'db-1', name: 'Database 1' }],
  groups: ['Databases'],
  tags: [{ tag: 'scope', value: 'performance' }],
}

const DATADOG = {
  id: '7243',
  title: '[Triggered on {host:db-1}] Disk usage',
  body: 'Disk usage is above 90 %',
  transition: 'Triggered',
  monitor: 'Disk usage',
  monitor_id: '1234',
  cycle_key: '6201',
  aggreg_key: '9bd4ac313a4d1e8fae2482df7b77628',
  priority: 'P2',
  type: 'error',
  scope: 'host:db-1',
  hostname: 'db-1',
  tags: 'monitor,env:prod,team:shop',
  metric: 'system.disk.in_use',
  link: 'https://app.datadoghq.com/monitors/1234',
  date: '1795607880000',
}

const NAGIOS = {
  host: 'db-1',
  service: 'Disk /var',
  notification_type: 'PROBLEM',
  state: 'CRITICAL',
  state_type: 'HARD',
  output: 'DISK CRITICAL - free space: /var 120 MB (1%)',
  long_output: '',
  address: '10.0.0.7',
  time: '1795607880',
}

const SENTRY_EVENT = {
  action: 'triggered',
  actor: { id: 'sentry', name: 'Sentry', type: 'application' },
  data: {
    event: {
      event_id: 'e4874d664c3540c1a32eab185f12c5ab',
      issue_id: '1117540176',
      title: 'ReferenceError: blooopy is not defined',
      culprit: '?(<anonymous>)',
      level: 'error',
      project: 1,
      environment: 'production',
      datetime: '2026-11-25T11:58:00.123Z',
      web_url: 'https://sentry.io/organizations/test-org/issues/1117540176/events/e4874d66/',
    },
    triggered_rule: 'Very Important Alert Rule!',
  },
  installation: { uuid: 'a8e5d37a-696c-4c54-adb5-b3f28d64c7de' },
}

const SENTRY_METRIC = {
  action: 'critical',
  data: {
    description_text: '1000 events in the last 10 minutes',
    description_title: 'Critical: Too many errors',
    metric_alert: {
      alert_rule: { id: '7', name: 'Too many errors', environment: null, aggregate: 'count()' },
      date_closed: null,
      date_started: '2026-11-25T11:58:00.000Z',
      id: '42',
      projects: ['backend'],
      status: 20,
      title: 'Too many errors',
    },
    web_url: 'https://sentry.io/organizations/test-org/alerts/42/',
  },
}

const UPTIME_KUMA = {
  heartbeat: {
    monitorID: 7,
    status: 0,
    time: '2026-11-25 11:58:00.123',
    msg: 'Request failed with status code 503',
    important: true,
    duration: 60,
    timezone: 'Europe/Berlin',
    localDateTime: '2026-11-25 12:58:00',
  },
  monitor: {
    id: 7,
    name: 'Shop',
    url: 'https://shop.example',
    hostname: null,
    port: null,
    type: 'http',
    tags: [{ name: 'team', value: 'shop' }],
  },
  msg: '[Shop] [🔴 Down] Request failed with status code 503',
}

const ALARM = {
  AlarmName: 'db-1 CPU',
  AlarmDescription: 'CPU of db-1 above 90 %',
  AWSAccountId: '123456789012',
  NewStateValue: 'ALARM',
  NewStateReason: 'Threshold Crossed: 1 datapoint (97.0) was greater than the threshold (90.0).',
  StateChangeTime: '2026-11-25T11:58:00.157+0000',
  Region: 'EU (Frankfurt)',
  AlarmArn: 'arn:aws:cloudwatch:eu-central-1:123456789012:alarm:db-1 CPU',
  OldStateValue: 'OK',
  Trigger: {
    MetricName: 'CPUUtilization',
    Namespace: 'AWS/EC2',
    Dimensions: [{ name: 'InstanceId', value: 'i-0abc' }],
    Threshold: 90,
  },
}

/** An SNS notification around an alarm. */
export const notification = (alarm: object): object => ({
  Type: 'Notification',
  MessageId: '22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324',
  TopicArn: 'arn:aws:sns:eu-central-1:123456789012:alarms',
  Subject: 'ALARM: "db-1 CPU"',
  Message: JSON.stringify(alarm),
  Timestamp: '2026-11-25T11:58:00.200Z',
  SignatureVersion: '1',
})

const AZURE = {
  schemaId: 'azureMonitorCommonAlertSchema',
  data: {
    essentials: {
      alertId: '/subscriptions/s/providers/Microsoft.AlertsManagement/alerts/b9569717',
      alertRule: 'WCUS-R2-Gen2',
      severity: 'Sev1',
      signalType: 'Metric',
      monitorCondition: 'Fired',
      monitoringService: 'Platform',
      alertTargetIDs: [
        '/subscriptions/s/resourcegroups/pipelinealertrg/providers/microsoft.compute/virtualmachines/wcus-r2-gen2',
      ],
      firedDateTime: '2026-11-25T11:58:24.3713213Z',
      description: 'CPU is high',
      essentialsVersion: '1.0',
    },
    alertContext: { conditionType: 'SingleResourceMultipleMetricCriteria' },
    customProperties: { Owner: 'shop' },
  },
}

const GCP = {
  incident: {
    incident_id: '0.lj2va6zdkemq',
    scoping_project_id: 'shop',
    resource_name: 'shop appserver',
    resource: { type: 'gce_instance', labels: { instance_id: '8979287136362607111', zone: 'us-central1-c' } },
    started_at: 1795607880,
    ended_at: null,
    policy_name: 'CPU usage',
    condition_name: 'GCE VM Instance - CPU usage',
    severity: 'Critical',
    url: 'https://console.cloud.google.com/monitoring/alerting/incidents/0.lj2va6zdkemq?project=shop',
    documentation: { content: 'See the runbook.', mime_type: 'text/markdown' },
    state: 'open',
    summary: 'CPU usage is above the threshold of 0.9 with a value of 0.97.',
  },
  version: '1.2',
}

const OPSGENIE = {
  action: 'Create',
  alert: {
    alertId: '052652ac-5d1c-464a-812a-7dd18bbfba8c',
    message: 'Disk of db-1 is full',
    tags: ['disk', 'prod'],
    tinyId: '23',
    entity: 'db-1',
    alias: 'db-1/disk',
    createdAt: 1795607880157,
    username: 'fili@ifountain.com',
    priority: 'P1',
    description: 'No space left on /var',
    team: 'databases',
    source: 'nagios',
    details: { used: '99 %' },
  },
  integrationId: '37c8f316-17c6-49d7-899b-9c7e540c048d',
}

export interface Vendor {
  readonly fires: object
  /** The message that ends what `fires` began. */
  readonly ends: object
  readonly others?: readonly object[]
}

export const VENDORS = {
  zabbix: {
    fires: ZABBIX,
    ends: { ...ZABBIX, event_value: '0', recovered_at: '1795607990' },
    others: [ZABBIX_CONNECTOR],
  },
  datadog: { fires: DATADOG, ends: { ...DATADOG, transition: 'Recovered', type: 'success' } },
  nagios: {
    fires: NAGIOS,
    ends: { ...NAGIOS, notification_type: 'RECOVERY', state: 'OK', output: 'DISK OK' },
  },
  sentry: {
    fires: SENTRY_EVENT,
    ends: {
      action: 'resolved',
      data: {
        issue: { id: '1117540176', title: 'ReferenceError', level: 'error', project: { slug: 'backend' } },
      },
    },
    others: [SENTRY_METRIC],
  },
  'uptime-kuma': {
    fires: UPTIME_KUMA,
    ends: {
      ...UPTIME_KUMA,
      heartbeat: { ...UPTIME_KUMA.heartbeat, status: 1, msg: '200 - OK' },
      msg: '[Shop] [✅ Up] 200 - OK',
    },
  },
  cloudwatch: {
    fires: notification(ALARM),
    ends: notification({ ...ALARM, NewStateValue: 'OK', OldStateValue: 'ALARM' }),
    others: [ALARM],
  },
  'azure-monitor': {
    fires: AZURE,
    ends: {
      ...AZURE,
      data: {
        ...AZURE.data,
        essentials: {
          ...AZURE.data.essentials,
          monitorCondition: 'Resolved',
          resolvedDateTime: '2026-11-25T11:59:24Z',
        },
      },
    },
  },
  opsgenie: {
    fires: OPSGENIE,
    ends: {
      ...OPSGENIE,
      action: 'Close',
      alert: { alertId: OPSGENIE.alert.alertId, alias: OPSGENIE.alert.alias },
    },
  },
  'gcp-monitoring': {
    fires: GCP,
    ends: { ...GCP, incident: { ...GCP.incident, state: 'closed', ended_at: 1795607940 } },
  },
} satisfies Readonly<Record<string, Vendor>>
export type VendorFormat = keyof typeof VENDORS
