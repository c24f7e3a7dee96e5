import { rules } from '../../schemas/rules.ts'
import { answers } from '../answers.ts'
import { ApiError } from '../errors.ts'
import type { ApiParts } from '../parts.ts'
import { rulesInForce } from '../rows.ts'
import type { App } from '../validation.ts'

export function rulesRoute(app: App, { store }: ApiParts): void {
  const schema = { tags: ['rules'], summary: 'Read the rules in force', response: answers({ 200: rules }) }
  app.get('/api/v1/rules', { schema, config: { role: 'viewer' } }, async () => {
    const found = await rulesInForce(store)
    if (!found) throw new ApiError('unavailable', 'no rules are in force yet: the correlator has not started')
    return found
  })
}
