import type { Language } from '../texts/catalogue.ts'
import { useSettings } from './settings.tsx'

const OTHER: Readonly<Record<Language, { readonly language: Language; readonly name: string }>> = {
  en: { language: 'zh-CN', name: '简体中文' },
  'zh-CN': { language: 'en', name: 'English' },
}

/** Changes to the other language; named in that one. */
export function LanguageSwitch() {
  const { settings, change } = useSettings()
  const other = OTHER[settings.language]
  return (
    <button
      type="button"
      className="button quiet"
      lang={other.language}
      onClick={() => change({ language: other.language })}
    >
      {other.name}
    </button>
  )
}
