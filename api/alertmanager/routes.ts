import type { Appended } from '../appended.ts'
import type { ApiParts } from '../parts.ts'
import type { App } from '../validation.ts'
import { alertsRoute } from './alerts.ts'
import { installAlertmanagerErrors } from './errors.ts'
import { groupsRoute } from './groups.ts'
import { silenceRoutes } from './silences.ts'
import { statusRoutes } from './status.ts'

/** Alertmanager's API v2, but for POST /api/v2/alerts, which takes alerts in. `app` is a scope of its own. */
export function alertmanagerRoutes(app: App, parts: ApiParts, appended: Appended): void {
  installAlertmanagerErrors(app)
  statusRoutes(app, parts)
  alertsRoute(app, parts, appended)
  groupsRoute(app, parts, appended)
  silenceRoutes(app, parts, appended)
}
