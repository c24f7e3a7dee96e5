import { createContext, use } from 'react'

export const LANGUAGES = ['en', 'zh-CN'] as const
export type Language = (typeof LANGUAGES)[number]

type Text = string | ((...args: never[]) => string)
type Texts = Readonly<Record<string, Text>>
/** The same keys; a text where there is a text, and a function of the same arguments where there is one. */
type Translated<Original extends Texts> = {
  readonly [Key in keyof Original]: Original[Key] extends string ? string : Original[Key]
}
export type Catalogue<Original extends Texts> = Readonly<Record<Language, Translated<Original>>>

/** The texts of one part of the console in both languages. A key that one of them lacks fails compilation. */
export function catalogue<const Original extends Texts>(
  en: Original,
  zh: Translated<Original>,
): Catalogue<Original> {
  return { en: en as Translated<Original>, 'zh-CN': zh }
}

export const LanguageContext = createContext<Language>('en')

export function useLanguage(): Language {
  return use(LanguageContext)
}

export function useTexts<Original extends Texts>(of: Catalogue<Original>): Translated<Original> {
  return of[useLanguage()]
}
