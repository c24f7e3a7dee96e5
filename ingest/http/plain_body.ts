import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import type { FastifyRequest } from 'fastify'
import { LIMITS } from '../../schemas/limits.ts'
import { bodyOf } from './take.ts'

const inflate = promisify(gunzip)

/** The body without its compression; null when it cannot be had, or is larger than any body may be. */
export async function plainBody(request: FastifyRequest): Promise<Buffer | null> {
  const given = bodyOf(request)
  const encoding = request.headers['content-encoding'] ?? 'identity'
  if (encoding === 'identity') return given
  if (encoding !== 'gzip') return null
  try {
    return await inflate(given, { maxOutputLength: LIMITS.http_body_bytes })
  } catch (error) {
    if (error instanceof Error && 'code' in error) return null
    throw error
  }
}

export const UNCOMPRESSIBLE = `the body is no gzip, or larger than ${LIMITS.http_body_bytes} bytes without it`
