import { readEvents } from './event_stream.js'

const SEVERITIES = ['critical', 'high', 'medium', 'low', 'info']
const OPEN_STATES = ['open', 'acknowledged', 'mitigated']
const ROWS_MAX = 100
const RETRY_MS = 2_000
const SOURCES_INTERVAL_MS = 15_000

const texts = JSON.parse(document.body.dataset.texts)

/** What one source sent, in a line: `alertmanager: 412 alerts, 3 rejected, last 11:02:07`. */
function sourceLine({ name, alerts, rejects, last_event_at_ms }) {
  const last =
    last_event_at_ms === null ? texts.never_heard : `${texts.last_heard} ${time.format(last_event_at_ms)}`
  return `${name}: ${alerts.toLocaleString()} ${texts.alerts_taken}, ${rejects.toLocaleString()} ${texts.rejected}, ${last}`
}

const time = new Intl.DateTimeFormat(document.documentElement.lang, {
  dateStyle: 'short',
  timeStyle: 'medium',
})
const incidents = new Map()
let token = sessionStorage.getItem('tocsin-token')
let cursor = null
let drawing = false

const byId = (id) => document.getElementById(id)

/** Everything that comes from alerts enters the page here, as text. */
function element(name, text, attributes = {}) {
  const made = document.createElement(name)
  if (text !== null) made.textContent = text
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value)
  return made
}

function mark(severity) {
  return element('span', null, { class: 'mark', 'data-severity': severity, 'aria-hidden': 'true' })
}

async function get(path, signal) {
  const headers = token === null ? {} : { authorization: `Bearer ${token}` }
  const response = await fetch(path, { headers, signal, cache: 'no-store' })
  if (response.ok) return response
  const { error } = await response.json()
  byId('login').hidden = response.status !== 401
  throw new Error(`${error.message} (${error.code})`)
}

function row(incident) {
  const severity = element('td', null)
  severity.append(mark(incident.severity), texts[incident.severity])
  const title = element('td', incident.title, { class: 'title' })
  const opened = element('td', null)
  opened.append(
    element('time', time.format(incident.opened_at_ms), {
      datetime: new Date(incident.opened_at_ms).toISOString(),
    }),
  )
  const made = element('tr', null)
  made.append(
    severity,
    title,
    element('td', texts[incident.state]),
    element('td', `${incident.members_firing} / ${incident.members_total}`),
    element('td', incident.scope),
    opened,
  )
  return made
}

function order(a, b) {
  const state = OPEN_STATES.indexOf(a.state) - OPEN_STATES.indexOf(b.state)
  return (
    state ||
    SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) ||
    b.opened_at_ms - a.opened_at_ms ||
    (a.id < b.id ? -1 : 1)
  )
}

function draw() {
  drawing = false
  const open = [...incidents.values()].sort(order)
  byId('rows').replaceChildren(...open.slice(0, ROWS_MAX).map(row))
  byId('incidents').hidden = open.length === 0
  byId('empty').hidden = open.length > 0
  byId('more').hidden = open.length <= ROWS_MAX
  byId('more').textContent = `+${open.length - ROWS_MAX} ${texts.more}`
  const counts = SEVERITIES.map((severity) => {
    const item = element('li', null)
    item.append(
      mark(severity),
      `${texts[severity]} ${open.filter((one) => one.severity === severity).length}`,
    )
    return item
  })
  byId('counts').replaceChildren(...counts)
}

/** One drawing a frame, however many changes came. */
function drawSoon() {
  if (drawing) return
  drawing = true
  requestAnimationFrame(draw)
}

function take(incident) {
  const known = incidents.get(incident.id)
  if (known && known.revision >= incident.revision) return
  if (OPEN_STATES.includes(incident.state)) incidents.set(incident.id, incident)
  else incidents.delete(incident.id)
  drawSoon()
}

async function load() {
  const found = new Map()
  let first_cursor = null
  for (let page = ''; page !== null; ) {
    const answer = await (await get(`/api/v1/incidents?state=${OPEN_STATES.join()}&limit=200${page}`)).json()
    first_cursor ??= answer.changes_cursor
    for (const incident of answer.incidents) found.set(incident.id, incident)
    page = answer.next_cursor === null ? null : `&cursor=${answer.next_cursor}`
  }
  incidents.clear()
  for (const [id, incident] of found) incidents.set(id, incident)
  cursor = first_cursor
  drawSoon()
}

function show(state, text) {
  byId('pill').dataset.state = state
  byId('pill').textContent = text
}

async function follow() {
  const stop = new AbortController()
  const response = await get(`/api/v1/changes?since=${cursor}`, stop.signal)
  show('live', texts.live)
  byId('failure').hidden = true
  byId('login').hidden = true
  for await (const { event, id, data } of readEvents(response, stop.signal)) {
    if (event === 'resync') {
      cursor = null
      stop.abort()
    } else if (event === 'change') take(JSON.parse(data).incident)
    if (id !== null && cursor !== null) cursor = id
  }
}

async function run() {
  for (;;) {
    try {
      if (cursor === null) await load()
      await follow()
    } catch (error) {
      byId('failure').textContent = `${texts.failed}: ${error.message}`
      byId('failure').hidden = false
    }
    show('stale', `${texts.stale} ${time.format(Date.now())}`)
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
  }
}

async function drawSources() {
  try {
    const { sources } = await (await get('/api/v1/sources')).json()
    const items = sources.map((source) => element('li', sourceLine(source)))
    byId('sources').replaceChildren(...(items.length > 0 ? items : [element('li', texts.no_sources)]))
  } catch {
    // The loop above tells what is wrong; the list keeps what it showed.
  }
}

byId('snippet').textContent = `curl -H 'Content-Type: application/json' ${location.origin}/api/v2/alerts \\
  -d '[{"labels":{"alertname":"DiskFull","instance":"db-1","severity":"critical"}}]'`
byId('login').addEventListener('submit', (event) => {
  event.preventDefault()
  token = byId('token').value
  sessionStorage.setItem('tocsin-token', token)
  byId('token').value = ''
})
void run()
void drawSources()
setInterval(() => void drawSources(), SOURCES_INTERVAL_MS)
