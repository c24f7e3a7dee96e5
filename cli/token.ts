import { hash, randomBytes } from 'node:crypto'
import { Misconfigured } from '../runtime/errors.ts'
import { ROLES } from '../schemas/config.ts'

/** Prints a fresh token once, and the configuration that knows only its hash. */
export function token(options: { name: string; role: string }): void {
  if (!ROLES.some((role) => role === options.role))
    throw new Misconfigured('role-unknown', `--role ${options.role}: expected one of ${ROLES.join(', ')}`)
  const secret = `tcs_${randomBytes(24).toString('base64url')}`
  console.log(`token (shown only now; give it to ${options.name}):\n  ${secret}\n\nconfiguration:\n`)
  console.log(
    `api:\n  tokens:\n    - name: ${options.name}\n      role: ${options.role}\n      sha256: ${hash('sha256', secret, 'hex')}`,
  )
}
