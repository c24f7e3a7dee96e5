import { type DeliveryRow, type SinkPolicy, want } from '../../notify/delivery.ts'
import { linkedTicket, summarise } from '../../notify/summary.ts'
import type { Change } from '../../schemas/change.ts'
import { changeId } from '../../schemas/ids.ts'
import type { Incident, Member, Reason } from '../../schemas/incident.ts'

const REASON: Reason = {
  code: 'new-group',
  rule: 'by-alertname',
  rules_version: '0011223344556677',
  text: 'First alert with alertname=PumpStalled.',
}

function member(entity: string): Member {
  return {
    fingerprint: '00112233445566778899aabbccddeeff',
    entity,
    labels: { alertname: 'PumpStalled', machine: entity },
    severity: 'high',
    firing: true,
    silenced_by: [],
    starts_at_ms: 1_000,
    ended_at_ms: null,
    joined_at_ms: 1_000,
    reason: REASON,
  }
}

/** An incident of one alert as the correlator would tell it. */
function incident(id: string, over: Partial<Incident> = {}): Incident {
  return {
    id,
    scope: 'plant-1',
    state: 'open',
    severity: 'high',
    title: 'PumpStalled on pump-7',
    group: { alertname: 'PumpStalled' },
    rule: 'by-alertname',
    rules_version: '0011223344556677',
    revision: 1,
    suppressed: false,
    first_event_at_ms: 1_000,
    opened_at_ms: 1_000,
    acknowledged_at_ms: null,
    mitigated_at_ms: null,
    resolved_at_ms: null,
    reviewed_at_ms: null,
    updated_at_ms: 1_000,
    assignee: null,
    merged_into: null,
    reopened: 0,
    members_total: 1,
    members_firing: 1,
    causes: [],
    members: [member('pump-7')],
    tickets: [],
    timeline: [],
    ...over,
  }
}

export function change(
  kind: Change['kind'],
  revision: number,
  over: Partial<Incident> = {},
  id = 'inc_0123456789abcdef0123',
): Change {
  return {
    id: changeId(id, revision),
    incident_id: id,
    revision,
    kind,
    at_ms: revision * 1_000,
    actor: 'correlator',
    command_id: null,
    reason: REASON,
    memberships: { joined: [], ended: [] },
    incident: incident(id, { ...over, revision }),
  }
}

/** The row after a change, as the fold makes it. */
export function wantChange(row: DeliveryRow | null, of: Change, policy: SinkPolicy): DeliveryRow | null {
  return want(row, summarise(of), linkedTicket(of, policy.sink), policy)
}
