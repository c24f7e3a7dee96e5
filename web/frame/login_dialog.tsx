import { useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useId, useState } from 'react'
import { useLive } from '../live/store.ts'
import { Dialog } from '../parts/dialog.tsx'
import { request, ServerError } from '../server/request.ts'
import { useTexts } from '../texts/catalogue.ts'
import { type Session, setSession } from './session.ts'
import { texts } from './texts.ts'

/** Asks for a token. The server answers with a cookie; the token itself is kept nowhere in the page. */
export function LoginDialog() {
  const t = useTexts(texts)
  const live = useLive()
  const queries = useQueryClient()
  const [token, setToken] = useState('')
  const [failure, setFailure] = useState<string | null>(null)
  const field_id = useId()
  const failure_id = useId()
  const logIn = async () => {
    try {
      const session = await request<Session>('/api/v1/session', { method: 'POST', body: { token } })
      setSession(queries, session)
      await queries.invalidateQueries()
      live.retryNow()
    } catch (error) {
      if (!(error instanceof ServerError)) throw error
      setFailure(error.code === 'unauthenticated' ? t.login_refused : error.message)
    }
  }
  const submit = (event: FormEvent) => {
    event.preventDefault()
    void logIn()
  }
  return (
    <Dialog title={t.login_title}>
      <form className="form" onSubmit={submit}>
        <p className="hint">{t.login_hint}</p>
        <label htmlFor={field_id}>{t.token}</label>
        <input
          id={field_id}
          autoFocus
          type="password"
          autoComplete="current-password"
          required
          value={token}
          aria-invalid={failure !== null}
          aria-describedby={failure_id}
          onChange={(event) => setToken(event.target.value)}
        />
        <p id={failure_id} role="alert" className="failure">
          {failure}
        </p>
        <footer>
          <button type="submit" className="button primary">
            {t.log_in}
          </button>
        </footer>
      </form>
    </Dialog>
  )
}
