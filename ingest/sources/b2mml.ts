import { type Equipment, equipmentOf, itemsOf, textIn } from './b2mml_parts.ts'
import { type Fields, fieldsOf, timeOf } from './fields.ts'
import { decoder, DROPPED, eachOf, parseJson, type SourceMessage, Unreadable } from './format.ts'
import type { Acknowledgement } from './raw_alert.ts'
import { foundAlert, type Statement, wordOf } from './statement.ts'
import { ATTRIBUTE, parseXml } from './xml.ts'

/**
 * Work alerts of manufacturing systems: B2MML (ISA-95 parts 4 and 5) as XML or as JSON of the same shape. Sync, Process and Change say
 * that an alert holds, Cancel that it is over, Acknowledge that somebody has seen it. The ID of the work alert is in all of them.
 */
export const b2mml = decoder((message, settings) => {
  const { verb, area } = transactionOf(message.body)
  const alerts = alertsOf(area)
  const acknowledgements: Acknowledgement[] = []
  const decoded = eachOf(
    [...alerts.entries()],
    ([, alert]) => JSON.stringify(alert),
    ([ordinal, item]) => {
      const alert = fieldsOf(item, 'the work alert')
      const meaning = meaningOf(verb, area)
      if (meaning === 'acknowledged')
        acknowledgements.push({ ordinal, identity: { work_alert: idOf(alert) }, by: SENDER })
      if (meaning === 'acknowledged' || meaning === 'nothing') return DROPPED
      return foundAlert(statementOf(alert, meaning === 'over', message), message, settings)
    },
  )
  const { dropped = 0, ...rest } = decoded
  const left_out = dropped - acknowledgements.length
  return {
    ...rest,
    ...(left_out > 0 && { dropped: left_out }),
    ...(acknowledgements.length > 0 && { acknowledgements }),
  }
})

/** B2MML names systems, not people, as senders of an acknowledgement. */
const SENDER = 'mes'

const ROOT =
  /^(Sync|Process|Acknowledge|Change|Cancel|Get|Show|Respond|Confirm)WorkAlert(?:Information|Definition)?$/
const VERBS = [
  'Sync',
  'Process',
  'Acknowledge',
  'Change',
  'Cancel',
  'Get',
  'Show',
  'Respond',
  'Confirm',
] as const
type Verb = (typeof VERBS)[number]

interface Transaction {
  /** Null: an alert that comes without a transaction. */
  readonly verb: Verb | null
  readonly area: Fields
}

/** Throws Unreadable. */
function transactionOf(body: Buffer): Transaction {
  const is_xml = /^\s*(?:\uFEFF\s*)?</.test(body.subarray(0, 64).toString())
  const document = fieldsOf(is_xml ? parseXml(body) : parseJson(body), 'the document')
  for (const [name, content] of Object.entries(document)) {
    const verb = ROOT.exec(name)?.[1] as Verb | undefined
    if (verb !== undefined) return { verb, area: fieldsOf(fieldsOf(content, name)['DataArea'], 'DataArea') }
  }
  if ('DataArea' in document) {
    const area = fieldsOf(document['DataArea'], 'DataArea')
    return { verb: VERBS.find((verb) => verb in area) ?? null, area }
  }
  if ('WorkAlert' in document || 'WorkAlertInformation' in document) return { verb: null, area: document }
  throw new Unreadable('document-unknown', 'the document is no transaction of work alerts of B2MML')
}

function alertsOf(area: Fields): readonly unknown[] {
  const grouped = itemsOf(area['WorkAlertInformation']).flatMap((group) =>
    itemsOf(fieldsOf(group, 'WorkAlertInformation')['WorkAlert']),
  )
  return [...itemsOf(area['WorkAlert']), ...grouped]
}

/** What a transaction says of its alerts. A question, and the answer to one, say nothing new. */
function meaningOf(verb: Verb | null, area: Fields): 'fires' | 'over' | 'acknowledged' | 'nothing' {
  switch (verb) {
    case null:
    case 'Process':
      return 'fires'
    case 'Sync':
    case 'Change':
      return actionOf(area[verb], 'ActionCriteria', 'ActionExpression').startsWith('delete')
        ? 'over'
        : 'fires'
    case 'Cancel':
      return 'over'
    case 'Acknowledge':
      return actionOf(area[verb], 'ResponseCriteria', 'ResponseExpression').startsWith('reject')
        ? 'nothing'
        : 'acknowledged'
    default:
      return 'nothing'
  }
}

/** The code of a verb's expression: `Add`, `Delete`, `Rejected` and so on, in lower case. */
function actionOf(verb: unknown, criteria_name: string, expression_name: string): string {
  const [criteria] = itemsOf(childOf(verb, criteria_name))
  const [expression] = itemsOf(childOf(criteria, expression_name))
  return wordOf(
    childOf(expression, 'actionCode') ?? childOf(expression, `${ATTRIBUTE}actionCode`) ?? textIn(expression),
  )
}

function childOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Fields)[name] : undefined
}

/** Throws Unreadable. */
function idOf(alert: Fields): string {
  const id = textIn(alert['ID'])
  if (id === '') throw new Unreadable('identity-missing', 'the work alert has no ID')
  return id
}

function statementOf(alert: Fields, is_over: boolean, { at_ms }: SourceMessage): Statement {
  const work_alert = idOf(alert)
  const ended_ms = timeOf(textIn(alert['EffectiveEndDate']), 'EffectiveEndDate')
  const description = textsIn(alert['Description'])
  const { labels, annotations } = propertiesOf(alert)
  const category = textIn(alert['Category'])
  return {
    identity: { work_alert },
    labels: {
      ...labels,
      alertname: category || description || work_alert,
      category,
      severity: textIn(alert['Priority']),
      ...placeLabels(equipmentOf(alert)),
    },
    annotations: {
      ...annotations,
      summary: textsIn(alert['MessageText']) || description,
      description,
    },
    // An end that is still to come is only planned.
    is_over: is_over || (ended_ms !== null && ended_ms <= at_ms),
    started_ms: startOf(alert),
    ended_ms,
  }
}

const STARTS = ['TimeStamp', 'EffectiveStartDate', 'PublishedDate']

function startOf(alert: Fields): number | null {
  for (const name of STARTS) {
    const at_ms = timeOf(textIn(alert[name]), name)
    if (at_ms !== null) return at_ms
  }
  return null
}

/** Texts of an element that may come in several languages or lines. */
const textsIn = (value: unknown): string =>
  itemsOf(value)
    .map((item) => textIn(item))
    .filter((text) => text !== '')
    .join('\n')

function placeLabels({ path, levels, machine }: Equipment): Fields {
  return { ...levels, equipment: path, machine }
}

const ORDER = /^(?:work|job|operations|production)_?(?:order|request)/i
const PRODUCT = /^(?:product|material|part|article)/i

/** Work order and product are what an alert is weighed and found by; every other property is told with it. */
function propertiesOf(alert: Fields): { readonly labels: Fields; readonly annotations: Fields } {
  const labels: Record<string, string> = {}
  const annotations: Record<string, string> = {}
  const tell = (name: string, value: string): void => {
    if (value === '' || name === '') return
    const plain = name.replaceAll(/[\s-]/g, '')
    if (ORDER.test(plain)) labels['work_order'] ??= value
    else if (PRODUCT.test(plain)) labels['product'] ??= value
    else annotations[name] ??= value
  }
  for (const item of itemsOf(alert['WorkAlertProperty'])) {
    const property = fieldsOf(item, 'WorkAlertProperty')
    tell(textIn(property['ID']), valueIn(property['Value']))
  }
  for (const name of ['WorkOrderID', 'JobOrderID', 'WorkRequestID', 'ProductID', 'MaterialDefinitionID'])
    tell(name, textIn(alert[name]))
  return { labels, annotations }
}

/** A value of B2MML has its text in ValueString, and maybe a unit. */
function valueIn(value: unknown): string {
  return itemsOf(value)
    .map((one) => {
      const text = textIn(childOf(one, 'ValueString')) || textIn(one)
      const unit = textIn(childOf(one, 'UnitOfMeasure'))
      return unit === '' ? text : `${text} ${unit}`
    })
    .join(', ')
}
