import { Component, type ReactNode, Suspense, useEffect, useState } from 'react'
import { PAGES } from '../pages/pages.ts'
import { Button } from '../parts/button.tsx'
import { Link } from '../router/link.tsx'
import { navigate, useLocation } from '../router/location.ts'
import { useLanguage, useTexts } from '../texts/catalogue.ts'
import { ConnectionPill } from './connection_pill.tsx'
import { HelpDialog } from './help_dialog.tsx'
import { useKeys } from './keys.tsx'
import { LanguageSwitch } from './language_switch.tsx'
import { LoginDialog } from './login_dialog.tsx'
import { useSession } from './session.ts'
import { SettingsDialog } from './settings_dialog.tsx'
import { texts } from './texts.ts'
import { ZonePicker } from './zone_picker.tsx'

type Open = 'help' | 'settings' | null

/** What surrounds every page: navigation, connection, zone, language, and the dialogs of the console itself. */
export function Frame() {
  const [open, setOpen] = useState<Open>(null)
  const session = useSession()
  const t = useTexts(texts)
  useKeys({ '?': () => setOpen('help'), 'g ,': () => setOpen('settings'), ...pageKeys() })
  return (
    <>
      <a className="skip" href="#main">
        {t.skip}
      </a>
      <Header onOpen={setOpen} />
      <main id="main" tabIndex={-1}>
        <CurrentPage />
      </main>
      {open === 'help' && <HelpDialog onClose={() => setOpen(null)} />}
      {open === 'settings' && <SettingsDialog onClose={() => setOpen(null)} />}
      {session?.login === 'needed' && <LoginDialog />}
    </>
  )
}

function pageKeys(): Record<string, () => void> {
  return Object.fromEntries(PAGES.map(({ name, key }) => [`g ${key}`, () => navigate(`/${name}`)]))
}

function Header({ onOpen }: { readonly onOpen: (open: Open) => void }) {
  const t = useTexts(texts)
  return (
    <header className="header">
      <Link to="/incidents" className="brand">
        Tocsin
      </Link>
      <Navigation />
      <div className="header-tools">
        <ConnectionPill />
        <div className="header-choices">
          <ZonePicker />
          <LanguageSwitch />
        </div>
        <Button kind="quiet" label={t.settings} onPress={() => onOpen('settings')}>
          <svg viewBox="0 0 16 16" className="icon" aria-hidden="true">
            <path d="M2 4h7m3 0h2M2 8h2m3 0h7M2 12h6m3 0h3M9 2.5v3M4 6.5v3m4 1v3" />
          </svg>
        </Button>
        <Button kind="quiet" label={t.help} shortcut="?" onPress={() => onOpen('help')}>
          ?
        </Button>
      </div>
    </header>
  )
}

function pageOf(path: string): (typeof PAGES)[number] | undefined {
  const name = path.split('/')[1] ?? ''
  return name === '' ? PAGES[0] : PAGES.find((page) => page.name === name)
}

function Navigation() {
  const t = useTexts(texts)
  const language = useLanguage()
  const { path, query } = useLocation()
  const zone = query.get('tz')
  const here = pageOf(path)
  return (
    <nav aria-label={t.pages}>
      {PAGES.map((page) => (
        <Link
          key={page.name}
          to={`/${page.name}${zone === null ? '' : `?tz=${encodeURIComponent(zone)}`}`}
          current={page === here}
        >
          {page.texts[language].name}
        </Link>
      ))}
    </nav>
  )
}

function CurrentPage() {
  const language = useLanguage()
  const { path } = useLocation()
  const page = pageOf(path)
  const name = page?.texts[language].name
  useEffect(() => {
    document.title = name === undefined ? 'Tocsin' : `${name} · Tocsin`
  }, [name])
  if (!page) return <NoPage />
  return (
    <Failure key={page.name} shown={<Failed />}>
      <Suspense fallback={null}>
        <page.component />
      </Suspense>
    </Failure>
  )
}

function NoPage() {
  const t = useTexts(texts)
  return (
    <div className="empty">
      <h1>{t.no_page}</h1>
      <Link to="/incidents">{t.to_incidents}</Link>
    </div>
  )
}

function Failed() {
  const t = useTexts(texts)
  return (
    <div className="empty" role="alert">
      <h1>{t.failed}</h1>
      <p>{t.failed_hint}</p>
      <Button onPress={() => window.location.reload()}>{t.reload}</Button>
    </div>
  )
}

/** A fault of one page leaves the frame standing. */
class Failure extends Component<
  { readonly children: ReactNode; readonly shown: ReactNode },
  { failed: boolean }
> {
  override state = { failed: false }

  static getDerivedStateFromError(): { failed: boolean } {
    return { failed: true }
  }

  override render(): ReactNode {
    return this.state.failed ? this.props.shown : this.props.children
  }
}
