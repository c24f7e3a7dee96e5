import type { Severity } from '../../schemas/alert.ts'

/**
 * Words for severities, in lower case: of Prometheus rules, PagerDuty, Zabbix, Nagios and Icinga, syslog (RFC 5424), and of
 * operators who write Chinese. Bare numbers are left out because they mean opposite things (Zabbix 5 and syslog 0 are the worst).
 */
const WORDS: Readonly<Record<Severity, readonly string[]>> = {
  critical: [
    'critical', 'crit', 'fatal', 'emergency', 'emerg', 'panic', 'alert', 'disaster', 'page', 'blocker', 'down', 'unreachable', 'p1', 'p0',
    'sev1', 'sev0', 'sev-1', 's1', '紧急', '致命', '灾难', '危急', '特急', '一级',
  ],
  high: ['high', 'error', 'err', 'major', 'urgent', 'severe', 'p2', 'sev2', 'sev-2', 's2', '高', '高危', '严重', '重要', '主要', '错误', '二级'],
  medium: ['medium', 'moderate', 'average', 'warning', 'warn', 'p3', 'sev3', 'sev-3', 's3', '中', '中等', '一般', '一般严重', '警告', '告警', '三级'],
  low: ['low', 'minor', 'notice', 'unknown', 'ticket', 'p4', 'sev4', 'sev-4', 's4', '低', '次要', '轻微', '未知', '注意', '四级'],
  info: ['info', 'information', 'informational', 'none', 'debug', 'ok', 'up', 'not classified', 'p5', 'sev5', 'sev-5', 's5', '提示', '信息', '通知', '正常', '未分类', '五级'],
}

/** Word in lower case → severity; `own` words go before the built-in ones. */
export function severityWords(own: Readonly<Record<string, Severity>>): ReadonlyMap<string, Severity> {
  const words = new Map<string, Severity>()
  for (const [severity, list] of Object.entries(WORDS)) for (const word of list) words.set(word, severity as Severity)
  for (const [word, severity] of Object.entries(own)) words.set(word.trim().toLowerCase(), severity)
  return words
}
