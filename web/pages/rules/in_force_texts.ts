import { catalogue } from '../../texts/catalogue.ts'

/** Texts of what the configuration says and nobody changes here. */
export const texts = catalogue(
  {
    suppression: 'Suppression',
    suppression_hint:
      'While something of the source fires, what matches the target and agrees in these labels is suppressed. Rules stand in the configuration (rules.suppression).',
    no_suppression: 'No suppression rule is in force.',
    rule: 'Rule',
    source: 'While there fires',
    target: 'is suppressed',
    equal: 'agreeing in',
    behind: 'if it depends on the source by the topology',
    detectors: 'Detectors',
    detectors_hint:
      'Rules of the configuration (detectors) by what they watch now. A series that no rule matches is watched by novelty.',
    no_detectors: 'No series of readings is watched yet.',
    no_readings: 'This installation tells no series.',
    detector: 'Detector',
    series: 'Series',
    holds: 'Conditions that hold',
    held_back: (n: string) => `${n} held back`,
    examples: 'For example',
    more_series: (shown: string, total: string) => `Of the first ${shown} of ${total} series.`,
  },
  {
    suppression: '抑制',
    suppression_hint: '来源触发期间,匹配目标且这些标签一致的告警被抑制。规则位于配置(rules.suppression)。',
    no_suppression: '没有生效的抑制规则。',
    rule: '规则',
    source: '触发期间',
    target: '被抑制',
    equal: '标签一致',
    behind: '且按拓扑依赖于来源',
    detectors: '检测器',
    detectors_hint: '配置中的规则(detectors)及其当前监视的序列。没有规则匹配的序列由 novelty 监视。',
    no_detectors: '尚无受监视的读数序列。',
    no_readings: '此系统不提供序列。',
    detector: '检测器',
    series: '序列',
    holds: '成立的条件',
    held_back: (n) => `${n} 个被暂缓`,
    examples: '例如',
    more_series: (shown, total) => `基于 ${total} 个序列中的前 ${shown} 个。`,
  },
)
