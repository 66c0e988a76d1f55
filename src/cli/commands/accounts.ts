/** `trailhound accounts`: the accounts that the config knows by name, and the file that they come from. */
import { existsSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Command } from 'commander';
import type { AccountContext } from '../../enrichment.ts';
import { AppError } from '../../errors.ts';
import { json } from '../../printable.ts';
import { type AwsCommandOptions, addAwsOptions, awsOf } from '../aws.ts';
import { type ExitStatus, finish, group, type Host, type Run } from '../command.ts';
import { systemReason } from '../config.ts';
import { configEnrichment } from '../enrichment.ts';
import { printRows } from '../output/rows.ts';
import { plural } from '../output/text.ts';

interface ImportOptions extends AwsCommandOptions {
  readonly write?: string;
  readonly force?: boolean;
}

export function accountsCommand(host: Host): Command {
  const list = new Command('list').description('the accounts of the file that the config names');
  const load = addAwsOptions(
    new Command('import')
      .description(
        'ask AWS Organizations for names, organizational units and tags of all accounts, and write them to a file',
      )
      .option('--write <file>', 'where to (default: only show them)')
      .option('--force', 'also over a file that is there'),
  );
  return group(
    new Command('accounts')
      .description('the accounts that the config knows by name')
      .addCommand(
        finish(list, host, ['trailhound accounts list', 'trailhound accounts list --output csv'], listAccounts),
      )
      .addCommand(
        finish<ImportOptions>(
          load,
          host,
          ['trailhound accounts import --write accounts.yaml', 'trailhound accounts import --aws-profile management'],
          importAccounts,
        ),
      ),
    ['trailhound accounts import --write accounts.yaml', 'trailhound accounts list'],
  );
}

async function listAccounts(run: Run<object>): Promise<ExitStatus> {
  if (run.config.enrichment.accounts === undefined) {
    throw new AppError('config-invalid', 'the config names no file of accounts', {
      hint: '`trailhound accounts import --write accounts.yaml` writes one; name it as accounts under enrichment.',
    });
  }
  const { accounts } = await configEnrichment(run.config);
  await print(run, accounts);
  return 0;
}

async function importAccounts(run: Run<ImportOptions>): Promise<ExitStatus> {
  const { options, terminal } = run;
  const file = options.write === undefined ? null : resolve(options.write);
  if (file !== null && existsSync(file) && options.force !== true) {
    throw new AppError('usage-invalid', `cannot write ${file}: it is there already`, {
      hint: 'Write over it with --force.',
    });
  }
  const { accountsText, readOrganization } = await import('../wire.ts');
  const { accounts, refused } = await readOrganization(awsOf(run));
  for (const refusal of refused) terminal.warn(refusal);
  if (file === null) await print(run, accounts);
  else {
    try {
      writeFileSync(file, await accountsText(accounts));
    } catch (cause) {
      throw new AppError('output-unwritable', `cannot write ${file}: ${systemReason(cause)}`, { cause });
    }
    terminal.info(
      `wrote ${file} with ${plural(accounts.size, 'account')}\nNext: name it as accounts under enrichment: in the config.`,
    );
  }
  return refused.length > 0 ? 3 : 0;
}

function print(run: Run<object>, accounts: ReadonlyMap<string, AccountContext>): Promise<void> {
  const columns = ['account_id', 'name', 'ou', 'tags'].map((name) => ({ name, type: 'VARCHAR' }));
  const rows = [...accounts].map(([id, { name, ou, tags }]) => [
    id,
    name,
    ou,
    Object.keys(tags).length === 0 ? null : json(tags),
  ]);
  return printRows(run.output, columns, rows, run.terminal);
}
