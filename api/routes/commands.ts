import { z } from 'zod'
import { change } from '../../schemas/change.ts'
import { type Command, commandBody } from '../../schemas/command.ts'
import { partitionOf } from '../../schemas/ids.ts'
import type { Incident } from '../../schemas/incident.ts'
import { LIMITS } from '../../schemas/limits.ts'
import { answers } from '../answers.ts'
import type { Appended } from '../appended.ts'
import { ApiError } from '../errors.ts'
import type { ApiParts } from '../parts.ts'
import { refusal } from '../preview.ts'
import { commandOutcome } from '../rows.ts'
import type { App } from '../validation.ts'
import { incidentParams, unknownIncident } from './incident.ts'

const [
  acknowledge,
  mitigate,
  resolve,
  review,
  reopen,
  assign,
  comment,
  merge,
  move,
  split,
  linkTicket,
  shelve,
  unshelve,
] = commandBody.options
const ON_PATH = { incident_id: true } as const

/** As schemas/command.ts; the incident is named by the path. */
const commandRequest = z.discriminatedUnion('kind', [
  acknowledge.omit(ON_PATH).strict(),
  mitigate.omit(ON_PATH).strict(),
  resolve.omit(ON_PATH).strict(),
  review.omit(ON_PATH).strict(),
  reopen.omit(ON_PATH).strict(),
  assign.omit(ON_PATH).strict(),
  comment.omit(ON_PATH).strict(),
  merge.omit(ON_PATH).strict(),
  move.omit(ON_PATH).strict(),
  split.omit(ON_PATH).strict(),
  linkTicket.omit(ON_PATH).strict(),
  shelve.omit(ON_PATH).strict(),
  unshelve.omit(ON_PATH).strict(),
])

export const idempotencyHeaders = z.object({
  'idempotency-key': z
    .string()
    .regex(/^[\x21-\x7e]+$/, 'expected printable characters without spaces')
    .max(LIMITS.id_chars)
    .optional()
    .describe('repeat a request with the same key after a failure: it is carried out once'),
})

const query = z.strictObject({
  wait_ms: z.coerce
    .number()
    .int()
    .min(0)
    .max(10_000)
    .default(2_000)
    .describe('how long to wait for the change before answering 202'),
})

const carriedOut = z.object({
  command_id: z.string(),
  revision: z.number().int().describe('the revision of the incident that shows the command'),
  change: change
    .nullable()
    .describe('null when the command was carried out before, in an earlier run of this process'),
})
const accepted = z.object({ command_id: z.string(), status: z.literal('accepted') })

const KEYS_REMEMBERED = 10_000

/** Which request an idempotency key stood for, so that it is not used for another one by mistake. */
class UsedKeys {
  private readonly requests = new Map<string, string>()

  check(key: string, request: string): void {
    const before = this.requests.get(key)
    if (before !== undefined && before !== request)
      throw new ApiError(
        'idempotency-key-reused',
        'this Idempotency-Key was sent before with another request',
        { field: 'idempotency-key' },
      )
    this.requests.set(key, request)
    if (this.requests.size > KEYS_REMEMBERED)
      this.requests.delete(this.requests.keys().next().value as string)
  }
}

interface Submission {
  readonly command: Command
  readonly found: Incident
  readonly partition: number
}

/** What a command of this id came to earlier, if it was had before. Throws ApiError when it was refused. */
async function earlier(
  { live, store }: ApiParts,
  { command, found, partition }: Submission,
): Promise<z.infer<typeof carriedOut> | null> {
  const answer = await live.answerTo(command.id, found.id, 0)
  if (answer) return answered(answer)
  const outcome = await commandOutcome(store, partition, command.id)
  if (!outcome) return null
  if (outcome.refused !== null) throw new ApiError('not-possible', outcome.refused)
  return { command_id: command.id, revision: found.revision, change: null }
}

function answered(answer: z.infer<typeof change>): z.infer<typeof carriedOut> {
  if (answer.kind === 'command-refused') throw new ApiError('not-possible', answer.reason.text)
  return { command_id: answer.command_id ?? '', revision: answer.revision, change: answer }
}

/** Refuses at once what the correlator would refuse, given what this process knows: incidents, but not their alerts. */
function checkPossible({ live }: ApiParts, { command, found }: Submission): void {
  const { body } = command
  if (body.kind === 'shelve' || body.kind === 'unshelve') return
  const parent = body.kind === 'merge' || body.kind === 'move' ? live.get(body.into) : undefined
  const refused = refusal(parent && parent.id !== found.id ? [found, parent] : [found], command)
  if (refused !== null) throw new ApiError('not-possible', refused)
}

export function commandsRoute(app: App, parts: ApiParts, appended: Appended): void {
  const { live, log, clock } = parts
  const used = new UsedKeys()
  const schema = {
    tags: ['incidents'],
    summary: 'Ask for a step in the life of an incident',
    params: incidentParams,
    querystring: query,
    headers: idempotencyHeaders,
    body: commandRequest,
    response: answers({ 200: carriedOut, 202: accepted }),
  }
  app.post(
    '/api/v1/incidents/:id/commands',
    { schema, config: { role: 'responder' }, bodyLimit: 262_144 },
    async (request, reply) => {
      const found = live.get(request.params.id)
      if (!found) throw unknownIncident(request.params.id)
      const key = request.headers['idempotency-key']
      if (key !== undefined) used.check(key, JSON.stringify([found.id, request.body]))
      const command: Command = {
        id: key ?? clock.token(),
        actor: request.actor,
        body: { ...request.body, incident_id: found.id },
      }
      const submission = { command, found, partition: partitionOf(found.scope, log.partitions('alerts')) }
      const before = key === undefined ? null : await earlier(parts, submission)
      if (before) return before
      checkPossible(parts, submission)
      await appended.command(command, [submission.partition])
      const answer = await live.answerTo(command.id, found.id, request.query.wait_ms)
      if (answer) return answered(answer)
      return reply.code(202).send({ command_id: command.id, status: 'accepted' })
    },
  )
}
