import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import type { Incident } from '../../../schemas/incident.ts'
import { useLiveIncident } from '../../live/store.ts'
import { request, ServerError } from '../../server/request.ts'

/** A storm changes an incident several times a second; its page follows once in this time. */
const FOLLOW_MS = 1_000

/** The newest revision that the live store knows, at most once a second. */
function useRevision(id: string): number {
  const revision = useLiveIncident(id)?.revision ?? 0
  const [followed, setFollowed] = useState(revision)
  useEffect(() => {
    if (revision === followed) return
    const later = setTimeout(() => setFollowed(revision), followed === 0 ? 0 : FOLLOW_MS)
    return () => clearTimeout(later)
  }, [revision, followed])
  return followed
}

export interface WholeIncident {
  readonly incident: Incident | undefined
  readonly error: ServerError | null
}

/** An incident with members and timeline, kept up to the revision that the live store tells. */
export function useIncident(id: string): WholeIncident {
  const revision = useRevision(id)
  const { data, error } = useQuery({
    queryKey: ['incident', id, revision],
    queryFn: ({ signal }) => request<Incident>(`/api/v1/incidents/${encodeURIComponent(id)}`, { signal }),
    placeholderData: keepPreviousData,
    staleTime: Number.POSITIVE_INFINITY,
  })
  return { incident: data, error: error instanceof ServerError ? error : null }
}
