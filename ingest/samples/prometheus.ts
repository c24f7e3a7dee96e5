import type { Labels } from '../../schemas/alert.ts'
import { setLabel } from '../../schemas/sample.ts'

/** The bits of the NaN by which Prometheus says that a series is gone. */
export const STALE_HIGH = 0x7ff0_0000
export const STALE_LOW = 0x0000_0002

/** Gathers the labels of a series of Prometheus: its `__name__` is what is measured; empty ones are none. */
export class PrometheusLabels {
  private readonly labels: Record<string, string> = {}
  private metric = ''

  add(name: string, value: string): void {
    if (name === '__name__') this.metric = value
    else if (value !== '') setLabel(this.labels, name === 'metric' ? 'exported_metric' : name, value)
  }

  /** `unit`: empty when it is not told. */
  done(unit = ''): Labels {
    if (this.metric !== '') this.labels['metric'] = this.metric
    if (unit !== '' && this.labels['unit'] === undefined) this.labels['unit'] = unit
    return this.labels
  }
}
