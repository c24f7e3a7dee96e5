import type { Text } from '../metrics/metric.ts'

/** What the monthly report says around its figures. */
export const MONTHLY_TEXTS = {
  title: { en: 'Service report', zh: '服务月报' },
  summary: { en: 'In short', zh: '摘要' },
  figures: { en: 'Figures', zh: '指标' },
  figure: { en: 'Figure', zh: '指标' },
  verdict: { en: 'Compared with the month before', zh: '与上月相比' },
  figures_note: {
    en: 'Durations are medians of the Kaplan–Meier curve: what is still open counts as longer than until now. Cohorts are the incidents opened in the month; merged ones are left out.',
    zh: '时长为 Kaplan–Meier 曲线的中位数：尚未结束的事件按“至今仍未结束”计入。统计对象为当月创建且未被合并的事件。',
  },
  curves: { en: 'How long until resolved, by severity', zh: '各严重程度的解决时间' },
  curves_caption: {
    en: 'Share of incidents that take longer than a time, with bounds of 95 % (Greenwood); small strokes are incidents still open.',
    zh: '解决时间超过横轴时长的事件比例及 95% 区间（Greenwood）；短竖线为尚未解决的事件。',
  },
  scatter: { en: 'Every incident', zh: '每个事件' },
  scatter_caption: {
    en: 'When it was opened and how long it took, on a logarithmic axis; hollow: still open.',
    zh: '横轴为创建时间，纵轴（对数）为解决时长；空心为未解决。',
  },
  days: { en: 'Incidents a day', zh: '每日事件数' },
  week: { en: 'When incidents are opened', zh: '事件在一周中的分布' },
  week_caption: { en: 'Incidents opened by hour of the week', zh: '一周各小时的新建事件数' },
  services: { en: 'Services with most time open', zh: '累计未解决时间最长的服务' },
  service: { en: 'Service', zh: '服务' },
  incidents: { en: 'Incidents', zh: '事件数' },
  down: { en: 'Time with an open incident', zh: '存在未解决事件的时间' },
  median: { en: 'Time to resolve', zh: '解决时间' },
  attainment: { en: 'Resolved in time', zh: 'SLA 达成率' },
  sla: { en: 'Service levels', zh: 'SLA 达成情况' },
  sla_note: {
    en: 'Met ÷ due, by the targets of the report; what is not late yet is not due.',
    zh: '达成 ÷ 应完成（按本报告的目标时限）；未到期的不计入。',
  },
  sla_more: {
    en: 'Met ÷ due, by the targets of the report; what is not late yet is not due. Only the services with most breaches are shown.',
    zh: '达成 ÷ 应完成（按本报告的目标时限）；未到期的不计入。仅列出违约最多的服务。',
  },
  breached: { en: 'Breached', zh: '违约' },
  recurrence: { en: 'What recurs', zh: '重复发生的问题' },
  alert: { en: 'Alert', zh: '告警' },
  entity: { en: 'Entity', zh: '对象' },
  open_time: { en: 'Time open', zh: '累计时长' },
  last: { en: 'Last incident', zh: '最近事件' },
  actions: { en: 'Actions due', zh: '待办事项' },
  none: { en: 'None.', zh: '无。' },
  overdue: { en: 'Open beyond their target', zh: '已超时仍未解决' },
  unreviewed: { en: 'Resolved and not reviewed in time', zh: '已解决但未按时复盘' },
  incident: { en: 'Incident', zh: '事件' },
  severity: { en: 'Severity', zh: '严重程度' },
  assignee: { en: 'Assignee', zh: '负责人' },
  nobody: { en: 'nobody', zh: '无人' },
  since: { en: 'Opened', zh: '创建时间' },
  late: { en: 'Late by', zh: '超时' },
  definitions: { en: 'What the figures mean', zh: '指标定义' },
} as const satisfies Record<string, Text>

export const CLOCKS: Readonly<Record<string, Text>> = {
  response: { en: 'response', zh: '响应' },
  resolve: { en: 'resolution', zh: '解决' },
  review: { en: 'review', zh: '复盘' },
}

export const WEEKDAY_NAMES: Readonly<Record<keyof Text, readonly string[]>> = {
  en: ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'],
  zh: ['周一', '周二', '周三', '周四', '周五', '周六', '周日'],
}
