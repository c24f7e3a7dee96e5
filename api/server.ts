import Fastify, { type FastifyInstance, LogController } from 'fastify'
import { LIMITS } from '../schemas/limits.ts'
import { alertmanagerRoutes } from './alertmanager/routes.ts'
import { Appended } from './appended.ts'
import { installAuth } from './auth.ts'
import { ChangesFeed } from './changes_feed.ts'
import { ApiError, sendError, toApiError } from './errors.ts'
import { collectOpenApi, openApiRoute } from './openapi.ts'
import type { ApiParts } from './parts.ts'
import { alarmsRoute } from './routes/alarms.ts'
import { analyticsRoute } from './routes/analytics.ts'
import { changeEventsRoute } from './routes/change_events.ts'
import { changesRoute } from './routes/changes.ts'
import { commandsRoute } from './routes/commands.ts'
import { consoleRoutes } from './routes/console.ts'
import { deadlettersRoutes } from './routes/deadletters.ts'
import { deliveriesRoute } from './routes/deliveries.ts'
import { figuresRoutes } from './routes/figures.ts'
import { heartbeatsRoute } from './routes/heartbeats.ts'
import { healthRoutes } from './routes/health.ts'
import { historyRoutes } from './routes/history.ts'
import { incidentRoute } from './routes/incident.ts'
import { incidentTopologyRoute } from './routes/incident_topology.ts'
import { incidentsRoute } from './routes/incidents.ts'
import { rulesRoute } from './routes/rules.ts'
import { maintenanceRoutes } from './routes/maintenance.ts'
import { topologyRoutes } from './routes/topology.ts'
import { silencePreviewRoute } from './routes/silence_preview.ts'
import { silencesRoutes } from './routes/silences.ts'
import { sessionRoutes } from './routes/session.ts'
import { similarRoute } from './routes/similar.ts'
import { seriesRoutes } from './routes/series.ts'
import { sourcesRoute } from './routes/sources.ts'
import { SummaryFeed } from './summary_feed.ts'
import { type App, validatorCompiler, type ZodTypeProvider } from './validation.ts'

const SECURITY_HEADERS = {
  'content-security-policy':
    "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'cache-control': 'no-store',
} as const

/** How long requests under way may take to finish when the server closes. */
const CLOSE_GRACE_MS = 2_000

function installHeaders(app: FastifyInstance): void {
  app.addHook('onRequest', (request, reply, done) => {
    reply.headers({ ...SECURITY_HEADERS, 'x-request-id': request.id })
    done()
  })
}

function installErrors(app: FastifyInstance): void {
  app.setErrorHandler((error, request, reply) => {
    const told = toApiError(error)
    if (told.code === 'internal')
      request.log.error({ err: error }, 'a request failed by a fault of the program')
    return sendError(reply, told)
  })
  app.setNotFoundHandler((request, reply) =>
    sendError(
      reply,
      new ApiError('not-found', `there is no ${request.method} ${request.url.split('?', 1)[0] ?? ''}`),
    ),
  )
}

function installObservation(app: FastifyInstance, { observeRequest }: ApiParts): void {
  app.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'unknown'
    observeRequest(route, reply.statusCode, reply.elapsedTime / 1_000)
    request.log.debug(
      { method: request.method, route, status: reply.statusCode, ms: reply.elapsedTime },
      'request',
    )
    done()
  })
}

interface Feeds {
  readonly changes: ChangesFeed
  readonly summaries: SummaryFeed
}

function makeFeeds({ log, live, clock, feed_bounds: bounds }: ApiParts): Feeds {
  const parts = { log, live, clock, bounds }
  return { changes: new ChangesFeed(parts), summaries: new SummaryFeed(parts) }
}

function installRoutes(app: App, parts: ApiParts, feeds: Feeds): void {
  // A body in another type is refused as such, not read as a string.
  app.removeContentTypeParser('text/plain')
  const appended = new Appended(parts)
  for (const install of [
    incidentsRoute,
    incidentRoute,
    incidentTopologyRoute,
    similarRoute,
    rulesRoute,
    topologyRoutes,
    silencePreviewRoute,
    deliveriesRoute,
    deadlettersRoutes,
    sourcesRoute,
    heartbeatsRoute,
    seriesRoutes,
    analyticsRoute,
    figuresRoutes,
    historyRoutes,
    healthRoutes,
    sessionRoutes,
    consoleRoutes,
  ])
    install(app, parts)
  commandsRoute(app, parts, appended)
  changeEventsRoute(app, parts, appended)
  changesRoute(app, feeds)
  alarmsRoute(app, parts, appended)
  silencesRoutes(app, parts, appended)
  maintenanceRoutes(app, parts, appended)
  openApiRoute(app)
  app.register(async (scope) =>
    alertmanagerRoutes(scope.withTypeProvider<ZodTypeProvider>(), parts, appended),
  )
}

/** The whole HTTP interface, not listening yet. `close()` ends its followers; log, store and live view stay with the caller. */
export function buildServer(parts: ApiParts): FastifyInstance {
  const app = Fastify({
    loggerInstance: parts.logger,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => parts.clock.token(),
    requestIdHeader: false,
    bodyLimit: LIMITS.http_body_bytes,
    requestTimeout: 60_000,
    routerOptions: { maxParamLength: 256 },
    forceCloseConnections: 'idle',
    frameworkErrors: (error, _request, reply) => void sendError(reply, toApiError(error)),
  })
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(() => (data) => JSON.stringify(data))
  const feeds = makeFeeds(parts)
  app.addHook('preClose', (done) => {
    feeds.changes.close()
    feeds.summaries.close()
    // Requests under way may finish; a connection that never sent one would hold the end up for a minute.
    setTimeout(() => app.server.closeAllConnections(), CLOSE_GRACE_MS).unref()
    done()
  })
  installHeaders(app)
  installErrors(app)
  installAuth(app, parts)
  installObservation(app, parts)
  app.register(async (root) => {
    await collectOpenApi(root, parts.version)
    root.register(async (scope) => installRoutes(scope.withTypeProvider<ZodTypeProvider>(), parts, feeds))
    root.register(async (scope) => {
      scope.addHook('onRoute', (route) => {
        route.config = { ...route.config, role: route.config?.role ?? 'ingest' }
      })
      for (const plugin of parts.ingest) scope.register(plugin)
    })
  })
  return app
}
