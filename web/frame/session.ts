import { type QueryClient, useQuery } from '@tanstack/react-query'
import { request } from '../server/request.ts'
import { catalogue, useTexts } from '../texts/catalogue.ts'

export type Role = 'ingest' | 'viewer' | 'responder' | 'admin'

export interface Session {
  readonly login: 'none' | 'needed' | 'done'
  readonly role: Role | null
  readonly actor: string | null
  readonly version: string | null
  readonly site_time_zone: string | null
}

const KEY = ['session'] as const

export function useSession(): Session | undefined {
  return useQuery({ queryKey: KEY, queryFn: () => request<Session>('/api/v1/session') }).data
}

export function setSession(client: QueryClient, session: Session): void {
  client.setQueryData(KEY, session)
}

/** A request was refused for want of a login: ask the server who we are. */
export function askSession(client: QueryClient): void {
  void client.invalidateQueries({ queryKey: KEY })
}

const texts = catalogue(
  {
    needs: (role: Role) => `This needs the role ${role}.`,
  },
  {
    needs: (role: Role) => `此操作需要 ${role} 角色。`,
  },
)

const ABLE: Readonly<Record<'responder' | 'admin', readonly Role[]>> = {
  responder: ['responder', 'admin'],
  admin: ['admin'],
}

/** Null when whoever is logged in may do what needs this role; else why not, for the disabled control. */
export function useRefusal(need: 'responder' | 'admin'): string | null {
  const session = useSession()
  const t = useTexts(texts)
  return session?.role != null && ABLE[need].includes(session.role) ? null : t.needs(need)
}
