import { type ComponentType, lazy } from 'react'
import { type Catalogue, catalogue } from '../texts/catalogue.ts'
import { IncidentsPage } from './incidents/page.tsx'

/** One page of the console. Its address is also in the list of the server (api/routes/console.ts). */
export interface Page {
  /** First part of the path; the page reads the rest by itself. */
  readonly name: 'incidents' | 'analytics' | 'alarms' | 'sources' | 'rules'
  /** After `g`. */
  readonly key: string
  readonly texts: Catalogue<{ readonly name: string }>
  readonly component: ComponentType
}

/** In the order of the navigation. A page that is not the first is loaded when it is first opened. */
export const PAGES: readonly Page[] = [
  {
    name: 'incidents',
    key: 'i',
    texts: catalogue({ name: 'Incidents' }, { name: '事件' }),
    component: IncidentsPage,
  },
  {
    name: 'analytics',
    key: 'a',
    texts: catalogue({ name: 'Analytics' }, { name: '分析' }),
    component: lazy(async () => ({ default: (await import('./analytics/page.tsx')).AnalyticsPage })),
  },
  {
    name: 'alarms',
    key: 'l',
    texts: catalogue({ name: 'Alarms' }, { name: '报警' }),
    component: lazy(async () => ({ default: (await import('./alarms/page.tsx')).AlarmsPage })),
  },
  {
    name: 'sources',
    key: 's',
    texts: catalogue({ name: 'Sources' }, { name: '数据源' }),
    component: lazy(async () => ({ default: (await import('./sources/page.tsx')).SourcesPage })),
  },
  {
    name: 'rules',
    key: 'r',
    texts: catalogue({ name: 'Rules' }, { name: '规则' }),
    component: lazy(async () => ({ default: (await import('./rules/page.tsx')).RulesPage })),
  },
]
