import { hash } from 'node:crypto'
import type { Labels } from './alert.ts'

/** Length-prefixed parts joined: no two lists of parts give the same text. */
function framed(parts: readonly string[]): string {
  return parts.map((part) => `${part.length}:${part}`).join('')
}

/** 128 bits over scope and identifying labels (sorted by name), as 32 hex digits. */
export function alertFingerprint(scope: string, identifying: Labels): string {
  const parts = [scope]
  for (const name of Object.keys(identifying).sort()) parts.push(name, identifying[name] as string)
  return hash('sha256', framed(parts), 'hex').slice(0, 32)
}

/** Derived, never random: the same log gives the same ids. `ordinal` is the alert's place within its record. */
export function incidentId(
  scope: string,
  opening_fingerprint: string,
  partition: number,
  position: number,
  ordinal: number,
): string {
  const digest = hash(
    'sha256',
    framed([scope, opening_fingerprint, String(partition), String(position), String(ordinal)]),
    'hex',
  )
  return `inc_${digest.slice(0, 20)}`
}

/** One id for one revision: equal ids carry equal content. */
export function changeId(incident_id: string, revision: number): string {
  return `${incident_id}.${revision}`
}

/** 128 bits that name a text which must not be shown, or is too long to be shown, as 32 hex digits. `use` keeps one text's names apart. */
export function digestOf(use: string, text: string | Buffer): string {
  return hash(
    'sha256',
    Buffer.concat([Buffer.from(framed([use])), Buffer.from(text as string)]),
    'hex',
  ).slice(0, 32)
}

/** 16 hex digits that name a value by its JSON. */
export function contentVersion(value: unknown): string {
  return hash('sha256', JSON.stringify(value), 'hex').slice(0, 16)
}

/** Partition of a key: 32-bit FNV-1a over its UTF-16 units, the same in every process and mode. */
export function partitionOf(key: string, partitions: number): number {
  let h = 0x811c9dc5
  for (let i = 0; i < key.length; i++) h = Math.imul(h ^ key.charCodeAt(i), 0x01000193)
  return (h >>> 0) % partitions
}

/** The same letter read twice has the same id. */
export function deadLetterId(source: string, origin: string, code: string, payload: Buffer): string {
  return hash('sha256', Buffer.concat([Buffer.from(framed([source, origin, code])), payload]), 'hex').slice(
    0,
    32,
  )
}
