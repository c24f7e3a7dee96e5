import { Consumer } from '../ingest/consumer.ts'
import { SampleConsumer } from '../ingest/samples/consumer.ts'
import { isSampleSource, sampleDecoder, seriesPlacing } from '../ingest/samples/formats.ts'
import { SparkplugConsumer } from '../ingest/samples/sparkplug_consumer.ts'
import { isAlertSource, isPlainAlertmanager, sourceDecoder } from '../ingest/source_decoder.ts'
import type { KafkaSourceConfig, MqttSourceConfig } from '../schemas/config.ts'
import { FORMATS_WITH_SECRETS } from '../schemas/source_formats.ts'
import type { Loaded } from './config.ts'
import type { Clock } from './ports.ts'
import type { Reading, Running } from './service_parts.ts'

interface SourceParts
  extends Pick<Running, 'world' | 'observation' | 'intake' | 'sample_intake' | 'acknowledger' | 'tables'> {
  readonly loaded: Loaded
  readonly clock: Clock
}

/** Everything that reads from brokers of others: topics of Kafka and of MQTT. None where this process takes nothing in. */
export function sourceReadings(parts: SourceParts): Promise<readonly Reading[]> {
  const { config } = parts.loaded
  return Promise.all(
    config.parts.includes('ingest')
      ? config.sources.flatMap((source) => (source.kind === 'http' ? [] : [readingOf(parts, source)]))
      : [],
  )
}

async function readingOf(parts: SourceParts, source: KafkaSourceConfig | MqttSourceConfig): Promise<Reading> {
  const { world, observation, intake, sample_intake, acknowledger, clock, loaded } = parts
  observation.source(source.name, source.kind)
  const { name, topics } = source
  const topic_source = await world.topicSource(source, observation)
  const common = { name, topics, source: topic_source, clock, observer: observation }
  if (source.format === 'sparkplug') {
    const own = {
      intake: sample_intake,
      store: world.store,
      place: seriesPlacing(source),
      sparkplug: observation,
    }
    return new SparkplugConsumer({ ...common, ...own })
  }
  if (isSampleSource(source))
    return new SampleConsumer({ ...common, intake: sample_intake, decode: sampleDecoder(source) })
  if (!isAlertSource(source)) throw new Error(`no format ${source.format} is known`)
  const decoding = { scope_labels: loaded.config.scope.labels, lookup: parts.tables.lookup }
  // Recognising repeats needs places of the messages, which MQTT does not have.
  const is_plain = source.kind === 'kafka' && isPlainAlertmanager(source)
  return new Consumer({
    ...common,
    intake,
    resolve_timeout_ms: loaded.rules.resolve_timeout_ms,
    ...(!is_plain && { decode: sourceDecoder(source, decoding), acknowledger }),
    has_secrets: FORMATS_WITH_SECRETS.has(source.format),
  })
}
