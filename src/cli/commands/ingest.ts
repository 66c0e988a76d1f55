/** `trailhound ingest`: puts what is new into the store, and hunts nothing. */
import { Command } from 'commander';
import { finish, type Host } from '../command.ts';
import { addIngestOptions, type IngestCommandOptions, printIngest, tellResult, withIngest } from '../ingest.ts';

export function ingestCommand(host: Host): Command {
  const command = new Command('ingest').description(
    'put log files into the store, each record once; `scan` does this and hunts',
  );
  return finish<IngestCommandOptions>(
    addIngestOptions(command),
    host,
    [
      'trailhound ingest ./AWSLogs',
      'trailhound ingest evidence.zip --account 111122223333 --from 2026-01-01 --to 2026-02-01',
      'zcat *.json.gz | trailhound ingest -',
      'trailhound ingest sqs://cloudtrail-logs',
      'trailhound ingest sqs://cloudtrail-logs s3://my-logs/AWSLogs/ --once --reconcile 3',
      'trailhound ingest --files-from files.csv',
      'trailhound ingest ./AWSLogs --dry-run',
    ],
    (run, ...given) =>
      withIngest(run, given, async (_store, ingest) => {
        const result = await ingest();
        if (run.output === 'json' || run.output === 'jsonl') await printIngest(result, run);
        return tellResult(result, run.terminal, run.options.strict === true);
      }),
  );
}
