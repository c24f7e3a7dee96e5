import { Command } from 'commander'
import { Misconfigured } from '../runtime/errors.ts'
import type { ImportOptions } from './import.ts'
import type { ReplayOptions } from './replay.ts'
import type { ReportOptions } from './report.ts'
import { version } from '../runtime/version.ts'
import type { DeadLettersOptions } from './deadletters.ts'
import type { DetectOptions } from './detect.ts'
import type { TryOptions } from './try.ts'

const EXAMPLES = `
Examples:
  tocsin start                          everything in this process, data in ./data, at http://127.0.0.1:7600
  tocsin start --config tocsin.yaml     the same with sources, sinks and rules of your own
  tocsin check --config tocsin.yaml     is the file right? every mistake with its line
  tocsin doctor --config tocsin.yaml    does everything it needs answer?
  tocsin detect --csv readings.csv      what a detector says about each reading
  tocsin try --source shop < body.json  what would become of this message?
  tocsin demo                           a checkout outage through the real pipeline

中文：tocsin start 即可启动（数据在 ./data，地址 http://127.0.0.1:7600）；tocsin doctor 检查各项依赖。
Documentation: README.md and docs/ beside this program.`

interface ConfigOption {
  config?: string
}

function withConfig(command: Command): Command {
  return command.option('-c, --config <file>', 'configuration file (YAML); without it the defaults hold')
}

function collect(one: string, before: readonly string[]): readonly string[] {
  return [...before, one]
}

function onDeadLetters(tocsin: Command): void {
  const letters = tocsin
    .command('deadletters')
    .description(
      'what was rejected, in a running tocsin: list, show, and read again after its source was mended',
    )
  const of = (command: Command) =>
    withConfig(command).option(
      '--url <url>',
      'address of the running tocsin; by default that of the configuration',
    )
  const filtered = (command: Command) =>
    of(command)
      .option('-s, --source <name>', 'only those of this source')
      .option('--code <code>', 'only those rejected with this code')
  filtered(letters.command('list'))
    .description('newest first')
    .option('--limit <n>', 'at most so many', '100')
    .action(async (options: DeadLettersOptions & { limit: string }) =>
      (await import('./deadletters.ts')).listLetters(options),
    )
  of(letters.command('show <id>'))
    .description('one of them, with what was received')
    .action(async (id: string, options: DeadLettersOptions) =>
      (await import('./deadletters.ts')).showLetter(id, options),
    )
  filtered(letters.command('retry [id...]'))
    .description('read them again as their sources are configured now, and take what passes')
    .option('--dry-run', 'only say how many would pass')
    .action(async (ids: string[], options: DeadLettersOptions & { dryRun?: true }) =>
      (await import('./deadletters.ts')).retryLetters(ids, options),
    )
}

/** Commands that try things on recorded alerts and readings; none needs a running Tocsin. */
function onRecordings(tocsin: Command): void {
  withConfig(tocsin.command('replay'))
    .description('try grouping on recorded alerts: which incidents would they have been?')
    .option('--alerts <file>', 'JSON lines, one alert each; .gz is read too')
    .option('--from <time>', 'instead of a file: the history since then (RFC 3339)')
    .option('--to <time>', 'the history until then; left out: now')
    .requiredOption('--out <folder>', 'where assignments.jsonl, incidents.jsonl and summary.json go')
    .option('--topology <file>', 'edges between entities (JSON)')
    .option('--against <folder>', 'what an earlier replay wrote: tell how the incidents differ')
    .action(async (options: ReplayOptions) => (await import('./replay.ts')).replay(options))
  withConfig(tocsin.command('learn'))
    .description('learn from recorded alerts which follow which and which fire all the time, for review')
    .requiredOption('--alerts <file>', 'JSON lines, one alert each; .gz is read too')
    .requiredOption('--out <file>', 'where the learned rules go (YAML)')
    .option('--topology <file>', 'edges between entities (JSON)')
    .action(async (options: ConfigOption & { alerts: string; out: string; topology?: string }) =>
      (await import('./learn.ts')).learn(options),
    )
  tocsin
    .command('detect')
    .description('judge the readings of a CSV file: prints timestamp,value,score,alert for each row')
    .requiredOption('--csv <file>', 'comma, semicolon or tab; - for the standard input')
    .option('--time <column>', 'name or number of the column of times')
    .option('--value <column...>', 'name or number; several columns are judged as one group')
    .option('--detector <name>', 'novelty for one column, multivariate for several, or another one')
    .option('-c, --config <file>', "the detector's options (YAML)")
    .action(async (options: DetectOptions) => (await import('./detect.ts')).detect(options))
}

function onImports(tocsin: Command): void {
  tocsin
    .command('import')
    .description('read incidents of another system into the history of a running tocsin')
    .requiredOption('--format <format>', 'csv, pagerduty, opsgenie, jira or servicenow')
    .requiredOption('--file <file>', 'an export: JSON of the interface of that system, or CSV')
    .option('--mapping <file>', 'which column is what (YAML): columns, labels, severities')
    .option('--source <name>', 'name of the system; left out: the format')
    .option('--scope <scope>', 'scope of the incidents', 'default')
    .option('--tz <zone>', 'zone of times that are told without one', 'UTC')
    .option('--url <url>', 'address of the running tocsin', 'http://127.0.0.1:7600')
    .option('--dry-run', 'read the file and say what would be imported')
    .action(async (options: ImportOptions) => (await import('./import.ts')).importIncidents(options))
}

/** Documents made of the history. */
function onHistory(tocsin: Command): void {
  const report = tocsin
    .command('report')
    .description('documents made of the history, for people to send and to print')
  const common = (command: Command) =>
    withConfig(command)
      .option('--out <file>', 'where it goes; left out: the standard output')
      .option('--lang <language>', 'en or zh', 'en')
      .option('--tz <zone>', 'time zone of days and months; left out: that of this machine')
  const monthly = common(report.command('monthly').description('the service report of a month'))
  monthly
    .option('--month <month>', 'such as 2026-10; left out: the last that is over')
    .option('--format <format>', 'html or csv', 'html')
    .action(async (options: ReportOptions) => (await import('./report.ts')).reportMonthly(options))
  common(report.command('alarms').description('the alarm system by the figures of ISA-18.2'))
    .option('--month <month>', 'such as 2026-10; left out: the last that is over')
    .action(async (options: ReportOptions) => (await import('./report.ts')).reportAlarms(options))
  common(report.command('dispatch').description('who got incidents first, and who had them at the end'))
    .option('--month <month>', 'such as 2026-10; left out: the last that is over')
    .action(async (options: ReportOptions) => (await import('./report.ts')).reportDispatch(options))
  common(report.command('incident <id>').description('a document to review one incident with')).action(
    async (id: string, options: ReportOptions) => (await import('./report.ts')).reportIncident(id, options),
  )
}

function program(): Command {
  const tocsin = new Command('tocsin')
    .description(
      'Streams of alerts in; few, explained incidents out, with one ticket each and their whole history.',
    )
    .version(version())
    .addHelpText('after', EXAMPLES)
    .showHelpAfterError('(tocsin --help shows the commands)')
  withConfig(tocsin.command('start'))
    .description('run until SIGTERM or Ctrl-C')
    .action(async (options: ConfigOption) => (await import('./start.ts')).start(options))
  withConfig(tocsin.command('check'))
    .description('check a configuration file, run the tests of its rules, print what holds')
    .action(async (options: ConfigOption) => (await import('./check.ts')).check(options))
  withConfig(tocsin.command('topics'))
    .description('make the internal topics of the distributed mode, or show them')
    .action(async (options: ConfigOption) => (await import('./topics.ts')).topics(options))
  withConfig(tocsin.command('doctor'))
    .description('say what is wrong: with the log, the store, the history, the sources, the sinks')
    .action(async (options: ConfigOption) => (await import('./doctor.ts')).doctor(options))
  withConfig(tocsin.command('try'))
    .description('show what a message on standard input would come to, without taking it')
    .requiredOption('-s, --source <name>', 'a source of the configuration, or a built-in format')
    .option('-H, --header <line>', 'header of the message, such as "ce-id: 1"; may be repeated', collect, [])
    .action(async (options: TryOptions) => (await import('./try.ts')).tryOut(options))
  tocsin
    .command('demo')
    .description('send a made-up outage of a shop to a running tocsin')
    .option('--url <url>', 'address of the running tocsin', 'http://127.0.0.1:7600')
    .option('--seed <n>', 'another seed tells another story', '1')
    .option('--speed <x>', 'times as fast as it would really happen', '20')
    .action(async (options: { url: string; seed: string; speed: string }) =>
      (await import('./demo.ts')).demo(options),
    )
  onRecordings(tocsin)
  onDeadLetters(tocsin)
  onHistory(tocsin)
  onImports(tocsin)
  tocsin
    .command('token')
    .description('make an API token and print the lines for the configuration')
    .requiredOption('--name <name>', 'who will use it')
    .option('--role <role>', 'ingest, viewer, responder or admin', 'responder')
    .action(async (options: { name: string; role: string }) => (await import('./token.ts')).token(options))
  return tocsin
}

try {
  await program().parseAsync()
} catch (error) {
  if (!(error instanceof Misconfigured)) throw error
  console.error(`tocsin: ${error.message}`)
  process.exitCode = 2
}
