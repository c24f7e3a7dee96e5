/** An edge node of Sparkplug B as the specification describes it: will, births, numbered data, and rebirth when it is asked. */
import { connectAsync, type MqttClient } from 'mqtt'
import { bdSeq, DATATYPE, encodePayload, type Metric } from '../ingest/samples/sparkplug_producer.ts'

const GROUP = 'plant'
const ALIAS = 7

export class EdgeNode {
  readonly name: string
  /** How often it was asked for its births. */
  asked = 0
  private readonly client: MqttClient
  private readonly session: number
  private seq = 0

  private constructor(name: string, session: number, client: MqttClient) {
    this.name = name
    this.session = session
    this.client = client
  }

  static async connect(url: string, name: string, session: number): Promise<EdgeNode> {
    const client = await connectAsync(url, {
      clientId: `edge-${name}-${session}`,
      reconnectPeriod: 100,
      will: {
        topic: `spBv1.0/${GROUP}/NDEATH/${name}`,
        payload: encodePayload({ metrics: [bdSeq(session)] }),
        qos: 1,
        retain: false,
      },
    })
    const node = new EdgeNode(name, session, client)
    client.on('message', () => {
      node.asked++
      void node.bear()
    })
    await client.subscribeAsync(`spBv1.0/${GROUP}/NCMD/${name}`, { qos: 1 })
    return node
  }

  async bear(): Promise<void> {
    this.seq = 0
    const control: Metric = {
      name: 'Node Control/Rebirth',
      datatype: DATATYPE.Boolean,
      value: { boolean: false },
    }
    const temperature: Metric = {
      name: 'Temperature',
      alias: ALIAS,
      datatype: DATATYPE.Int32,
      properties: { engUnit: 'degC' },
      is_null: true,
    }
    await this.send('NBIRTH', '', [bdSeq(this.session), control])
    await this.send('DBIRTH', '/oven', [temperature])
  }

  /** Resolves when the broker has it. */
  measure(value: number, at_ms: number): Promise<void> {
    return this.send('DDATA', '/oven', [{ alias: ALIAS, timestamp: at_ms, value: { int: value >>> 0 } }])
  }

  /** A text, which is no reading. Resolves when the broker has it. */
  say(text: string): Promise<void> {
    return this.send('DDATA', '/oven', [{ alias: ALIAS, value: { text } }])
  }

  /** Its connection breaks, and the broker tells its will. */
  die(): Promise<void> {
    return new Promise((done) => {
      this.client.options.reconnectPeriod = 0
      this.client.stream.once('close', () => done())
      this.client.stream.destroy()
    })
  }

  async close(): Promise<void> {
    await this.client.endAsync(true)
  }

  private async send(type: string, device: string, metrics: readonly Metric[]): Promise<void> {
    const payload = encodePayload({ timestamp: Date.now(), seq: this.seq, metrics })
    this.seq = (this.seq + 1) % 256
    await this.client.publishAsync(`spBv1.0/${GROUP}/${type}/${this.name}${device}`, payload, { qos: 1 })
  }
}
