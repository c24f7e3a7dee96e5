import { makeNormaliser } from '../../ingest/normalise.ts'
import type { DecodedAlerts } from '../../ingest/sources/raw_alert.ts'
import { alert as alertShape } from '../../schemas/alert.ts'
import { DEFAULTS } from './settings.ts'

const normalise = makeNormaliser(DEFAULTS)

/** Every alert is sound or is rejected by the normaliser with a reason; every reject says why. What is not so, or null. */
export function unaccounted(decoded: DecodedAlerts): unknown {
  for (const raw of decoded.alerts) {
    const alert = normalise(raw, 'test')
    if ('reason' in alert ? alert.reason === '' : !alertShape.safeParse(alert).success) return alert
  }
  for (const reject of decoded.rejects)
    if (!/^[a-z-]+$/.test(reject.code) || reject.reason === '') return reject
  const ordinals = [...decoded.alerts, ...decoded.rejects].map(({ ordinal }) => ordinal)
  return new Set(ordinals).size === ordinals.length ? null : ordinals
}
