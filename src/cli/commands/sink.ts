/** `trailhound sink`: the destinations of the config, whether they work, and what has not reached them. */
import { Command, Option } from 'commander';
import { systemClock } from '../../clock.ts';
import { AppError } from '../../errors.ts';
import { DELIVERY_STATES, type DeliveryState } from '../../outbox.ts';
import { printableLines } from '../../printable.ts';
import { scrubbed } from '../../secret-value.ts';
import { DeliveryError } from '../../sink.ts';
import { suggestion } from '../../suggest.ts';
import { type AwsCommandOptions, addAwsOptions, awsOf } from '../aws.ts';
import { type ExitStatus, finish, group, type Host, type Run, wholeNumber, withStore } from '../command.ts';
import { printRows } from '../output/rows.ts';
import { plural } from '../output/text.ts';
import { preparedSinks } from '../watch.ts';
import type { PreparedSink } from '../wire-watch.ts';

interface DeliveriesOptions {
  readonly sink?: string;
  readonly state?: readonly DeliveryState[];
  readonly limit: number;
}

interface TestOptions extends AwsCommandOptions {
  readonly dryRun?: boolean;
}

interface ResendOptions {
  readonly sink?: string;
}

const DELIVERIES_SHOWN = 100;

export function sinkCommand(host: Host): Command {
  const list = new Command('list').description('the destinations of the config, and what waits for each');
  const test = addAwsOptions(
    new Command('test')
      .description('send a message that says hello to one destination')
      .argument('<id>')
      .option('--dry-run', 'print what would be sent'),
  );
  const deliveries = new Command('deliveries')
    .description('messages, the newest first: where they went, what waits, what was given up and why')
    .option('--sink <id>', 'only of this destination')
    .addOption(new Option('--state <state...>', 'only in one of these states').choices(DELIVERY_STATES))
    .option('--limit <n>', 'messages to list at most', wholeNumber, DELIVERIES_SHOWN);
  const resend = new Command('resend')
    .description('send again what was given up: the messages named, or all of them; `watch` delivers them')
    .argument('[id...]', 'numbers of deliveries')
    .option('--sink <id>', 'only those of this destination');
  return group(
    new Command('sink')
      .description('destinations of alerts')
      .addCommand(finish(list, host, ['trailhound sink list'], printSinks))
      .addCommand(
        finish<TestOptions>(
          test,
          host,
          ['trailhound sink test oncall', 'trailhound sink test oncall --dry-run'],
          tryOut,
        ),
      )
      .addCommand(
        finish<DeliveriesOptions>(
          deliveries,
          host,
          ['trailhound sink deliveries', 'trailhound sink deliveries --state dead --sink oncall'],
          printDeliveries,
        ),
      )
      .addCommand(
        finish<ResendOptions>(
          resend,
          host,
          ['trailhound sink resend', 'trailhound sink resend 17 18', 'trailhound sink resend --sink oncall'],
          sendAgain,
        ),
      ),
    ['trailhound sink list', 'trailhound sink test oncall'],
  );
}

async function printSinks(run: Run<object>): Promise<ExitStatus> {
  const sinks = await preparedSinks(run.config);
  const counts = await withStore(run, (store) => store.outbox.counts()).catch((error: unknown) => {
    // Before the first watch there is none.
    if (error instanceof AppError && error.code === 'store-missing') return [];
    throw error;
  });
  const count = (id: string, state: DeliveryState): number =>
    counts.find((one) => one.sink === id && one.state === state)?.count ?? 0;
  const gone = [...new Set(counts.map(({ sink }) => sink))].filter((id) => !sinks.some((sink) => sink.id === id));
  const columns = [
    ...['id', 'type', 'min_severity'].map((name) => ({ name, type: 'VARCHAR' })),
    ...['delivered', 'pending', 'dead'].map((name) => ({ name, type: 'BIGINT' })),
  ];
  const row = (id: string, type: string | null, severity: string | null) => [
    id,
    type,
    severity,
    count(id, 'delivered'),
    count(id, 'pending'),
    count(id, 'dead'),
  ];
  const rows = [
    ...sinks.map(({ id, type, minSeverity }) => row(id, type, minSeverity)),
    ...gone.map((id) => row(id, null, null)),
  ];
  await printRows(run.output, columns, rows, run.terminal);
  run.terminal.info(plural(sinks.length, 'destination'));
  return 0;
}

async function sinkOf(run: Pick<Run<unknown>, 'config'>, id: string): Promise<PreparedSink> {
  const sinks = await preparedSinks(run.config);
  const sink = sinks.find((one) => one.id === id);
  if (sink !== undefined) return sink;
  const ids = sinks.map((one) => one.id);
  throw new AppError('sink-unknown', `no destination in the config has the id '${id}'.${suggestion(id, ids)}`, {
    hint:
      run.config.file === null
        ? 'There is no config: name destinations under sinks: in trailhound.yaml.'
        : `Those of ${run.config.file}: ${ids.join(', ') || 'none'}.`,
  });
}

async function tryOut(run: Run<TestOptions>, id = ''): Promise<ExitStatus> {
  const { terminal, config } = run;
  const prepared = await sinkOf(run, id);
  const { openSinks, trialMessage } = await import('../wire-watch.ts');
  const [opened] = await openSinks({
    sinks: [prepared],
    aws: awsOf(run),
    dir: config.dir,
    write: (text) => terminal.out(text),
  });
  if (opened === undefined) throw new Error(`the destination ${id} was not opened`);
  const { sink } = opened;
  const message = trialMessage(id, systemClock.nowMs());
  try {
    if (run.options.dryRun === true) {
      await terminal.out(`${printableLines(sink.render(message))}\n`);
      return 0;
    }
    await sink.deliver(message, run.signal);
    terminal.info(`${id} (${prepared.type}) has taken the message '${message.title}'.`);
    return 0;
  } catch (cause) {
    if (!(cause instanceof DeliveryError)) throw cause;
    throw new AppError(
      'delivery-failed',
      `${id} (${prepared.type}) did not take the message: ${scrubbed(cause.message)}`,
      {
        hint: 'docs/destinations.md says what each type needs.',
        cause,
      },
    );
  } finally {
    await sink.close();
  }
}

async function printDeliveries(run: Run<DeliveriesOptions>): Promise<ExitStatus> {
  const { sink, state, limit } = run.options;
  const rows = await withStore(run, (store) =>
    store.outbox.list({
      ...(sink !== undefined && { sink }),
      ...(state !== undefined && { states: state }),
      limit,
    }),
  );
  const names = [
    'id',
    'sink',
    'state',
    'kind',
    'title',
    'attempts',
    'created_at',
    'next_at',
    'error',
    'key',
    'alert_id',
  ] as const;
  const columns = names.map((name) => ({ name, type: name === 'id' || name === 'attempts' ? 'BIGINT' : 'VARCHAR' }));
  await printRows(
    run.output,
    columns,
    rows.map((row) => names.map((name) => row[name])),
    run.terminal,
  );
  run.terminal.info(
    rows.length > 0 && rows.length === limit
      ? `The newest ${plural(rows.length, 'message')}; --limit shows more.`
      : plural(rows.length, 'message'),
  );
  return 0;
}

async function sendAgain(run: Run<ResendOptions>, ...ids: string[]): Promise<ExitStatus> {
  const { sink } = run.options;
  const numbers = ids.map((id) => wholeNumberOf(id));
  const count = await withStore(run, (store) =>
    store.outbox.resend(
      { ...(sink !== undefined && { sink }), ...(numbers.length > 0 && { ids: numbers }) },
      systemClock.nowMs(),
    ),
  );
  if (numbers.length > count) {
    throw new AppError(
      'usage-invalid',
      `${numbers.length - count} of these ${numbers.length} messages were not given up, or are not there; ${count} will be sent again`,
      { hint: '`trailhound sink deliveries --state dead` shows the numbers.' },
    );
  }
  run.terminal.info(`${plural(count, 'message')} will be sent again.`);
  return 0;
}

function wholeNumberOf(text: string): number {
  if (/^\d{1,15}$/u.test(text)) return Number(text);
  throw new AppError('usage-invalid', `cannot read the number '${text}' of a delivery`, {
    hint: '`trailhound sink deliveries` shows the numbers.',
  });
}
