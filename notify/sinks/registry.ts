import type { SinkConfig } from '../../schemas/config.ts'
import { KafkaSink } from './kafka.ts'
import { RequestTrackerSink } from './request_tracker.ts'
import type { Sink, SinkWorld } from './sink.ts'
import { WebhookSink } from './webhook.ts'

/** The sink of a configuration entry; throws Misconfigured. */
export function makeSink(config: SinkConfig, world: SinkWorld): Sink {
  switch (config.kind) {
    case 'kafka':
      return new KafkaSink(config, world)
    case 'webhook':
      return new WebhookSink(config, world)
    case 'request-tracker':
      return new RequestTrackerSink(config, world)
  }
}
