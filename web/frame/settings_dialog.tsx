import { useQueryClient } from '@tanstack/react-query'
import { useId } from 'react'
import { Button } from '../parts/button.tsx'
import { Dialog } from '../parts/dialog.tsx'
import { request } from '../server/request.ts'
import { useTexts } from '../texts/catalogue.ts'
import { LanguageSwitch } from './language_switch.tsx'
import { askSession, useSession } from './session.ts'
import { type Settings, useSettings } from './settings.tsx'
import { texts } from './texts.ts'
import { ZonePicker } from './zone_picker.tsx'

/** What this browser shows and how; each choice counts at once. */
export function SettingsDialog({ onClose }: { readonly onClose: () => void }) {
  const t = useTexts(texts)
  const { settings, change } = useSettings()
  return (
    <Dialog title={t.settings} onClose={onClose}>
      <div className="form">
        <fieldset>
          <legend>{t.theme}</legend>
          {(['system', 'light', 'dark'] as const).map((theme) => (
            <label key={theme} className="choice">
              <input
                type="radio"
                name="theme"
                checked={settings.theme === theme}
                onChange={() => change({ theme })}
              />
              {t[`theme_${theme}`]}
            </label>
          ))}
        </fieldset>
        <div className="settings-choices">
          <ZonePicker />
          <LanguageSwitch />
        </div>
        <Switch name="keys" label={t.keys} hint={t.keys_hint} />
        <Switch name="blink" label={t.blink} hint="" />
        <WhoAmI />
        <About />
      </div>
    </Dialog>
  )
}

interface SwitchProps {
  readonly name: 'keys' | 'blink'
  readonly label: string
  readonly hint: string
}

function Switch({ name, label, hint }: SwitchProps) {
  const { settings, change } = useSettings()
  const changed: Partial<Settings> = { [name]: !settings[name] }
  return (
    <div>
      <label className="choice">
        <input type="checkbox" checked={settings[name]} onChange={() => change(changed)} />
        {label}
      </label>
      {hint !== '' && <p className="hint">{hint}</p>}
    </div>
  )
}

function WhoAmI() {
  const t = useTexts(texts)
  const session = useSession()
  const { settings, change } = useSettings()
  const queries = useQueryClient()
  const id = useId()
  if (session?.login === 'done')
    return (
      <div className="who">
        <p>{t.logged_in(session.actor ?? '', session.role ?? '')}</p>
        <Button
          onPress={() => {
            void request('/api/v1/session', { method: 'DELETE' }).then(() => askSession(queries))
          }}
        >
          {t.log_out}
        </Button>
      </div>
    )
  return (
    <div>
      <label htmlFor={id}>{t.your_name}</label>
      <input
        id={id}
        value={settings.name}
        maxLength={100}
        autoComplete="name"
        onChange={(event) => change({ name: event.target.value })}
      />
      <p className="hint">{t.your_name_hint}</p>
    </div>
  )
}

function About() {
  const t = useTexts(texts)
  const version = useSession()?.version ?? ''
  return (
    <p className="about-tocsin">
      {version !== '' && <span>{t.version(version)}</span>}
      <a href="/api/openapi.json">{t.api}</a>
      <a href="/metrics">{t.metrics}</a>
    </p>
  )
}
