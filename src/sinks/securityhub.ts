/** Security Hub: each alert is a finding of the default product, updated by the same id and archived when it is over. */
import { z } from 'zod';
import type { Alert } from '../alert.ts';
import { type AsffFinding, type AsffPlace, toAsff } from '../asff.ts';
import { AppError } from '../errors.ts';
import { json } from '../printable.ts';
import type { Message, Sink } from '../sink.ts';
import { awsConfig, awsOptions, entryFailure, sending } from './aws.ts';
import { sinkType } from './kind.ts';
import { account as accountId } from './options.ts';
import { headline, plainText } from './text.ts';

const options = z.strictObject(
  {
    account: accountId.describe('The account that imports findings: the one of the credentials.'),
    ...awsOptions,
  },
  'expected a mapping',
);

export const securityhub = sinkType(options, async (given, context): Promise<Sink> => {
  const { SecurityHubClient, BatchImportFindingsCommand } = await import('@aws-sdk/client-securityhub');
  const client = new SecurityHubClient(await awsConfig(given, context));
  const region = await client.config.region().catch((cause: unknown) => {
    client.destroy();
    throw new AppError('config-invalid', `sink ${context.id}: no region is named, and a finding needs one`, {
      hint: 'Name it with region, with region under aws:, or with AWS_REGION.',
      cause,
    });
  });
  const place: AsffPlace = { account: given.account, region };
  const doing = `import findings into Security Hub of ${given.account} in ${region}`;
  return {
    deliver: async (message, signal) => {
      // A message holds at most EVIDENCE_MAX alerts, and a request 100 findings.
      const { FailedCount: failed = 0, FailedFindings: failures = [] } = await sending(doing, signal, () =>
        client.send(new BatchImportFindingsCommand({ Findings: findingsOf(message, place) }), { abortSignal: signal }),
      );
      if (failed > 0) throw entryFailure(failures[0]?.ErrorCode, failures[0]?.ErrorMessage, doing);
      return null;
    },
    render: (message) => json(findingsOf(message, place), 2),
    close: async () => client.destroy(),
  };
});

/** A message without alerts is a finding of its own; a trial is archived from the start. */
function findingsOf(message: Message, place: AsffPlace): AsffFinding[] {
  const { alerts, at } = message;
  return (alerts.length > 0 ? alerts : [asAlert(message, place)]).map((alert) => toAsff(alert, place, at));
}

function asAlert(message: Message, { account, region }: AsffPlace): Alert {
  const { key, kind, severity, at } = message;
  return {
    schema: 1,
    id: key,
    detector: kind,
    detector_version: 1,
    title: headline(message),
    severity,
    status: kind === 'test' ? 'closed' : 'open',
    subject: {},
    summary: plainText(message, 0),
    count: 0,
    peak: null,
    first_seen: at,
    last_seen: at,
    window: { from: at, to: at },
    account_id: account,
    region,
    accounts: [account],
    regions: [region],
    source_ips: [],
    principal_arn: null,
    context: null,
    attack: [],
    event_ids: [],
    event_ids_total: 0,
    parameters: {},
    suppressed_by: null,
    new: true,
    coverage: null,
  };
}
