/** `trailhound alerts incidents`: alerts of one principal that follow one another, as one story. */
import { Command, Option } from 'commander';
import { SEVERITIES, type Severity } from '../../alert.ts';
import { AppError } from '../../errors.ts';
import { INCIDENT_STATUSES, type Incident, type IncidentStatus, incidentsOf } from '../../incident.ts';
import type { Store } from '../../store.ts';
import { finish, type Host, windowOf, withStore } from '../command.ts';
import { atLeast } from '../hunt.ts';
import { printIncidents } from '../output/incidents.ts';
import { plural } from '../output/text.ts';

interface IncidentsOptions {
  readonly minSeverity?: Severity;
  readonly status?: readonly (IncidentStatus | 'all')[];
  readonly from?: string;
  readonly to?: string;
}

const PENDING: readonly IncidentStatus[] = ['open', 'acknowledged'];

export function incidentsCommand(host: Host): Command {
  const command = new Command('incidents')
    .description('alerts of one principal that follow one another, as one story each, newest first')
    .addOption(new Option('--min-severity <severity>', 'only of this severity or above').choices(SEVERITIES))
    .addOption(
      new Option('--status <status...>', `only with one of these (default: ${PENDING.join(', ')})`).choices([
        ...INCIDENT_STATUSES,
        'all',
      ]),
    )
    .option('--from <time>', 'only with events at this time or later')
    .option('--to <time>', 'only with events before this time');
  return finish<IncidentsOptions>(
    command,
    host,
    [
      'trailhound alerts incidents',
      'trailhound alerts incidents --min-severity high --from 7d',
      'trailhound alerts list --incident 3f2a9c',
    ],
    async (run) => {
      const { minSeverity = 'informational', status = PENDING } = run.options;
      const { fromMs = -Infinity, toMs = Infinity } = windowOf(run.options, run.nowMs);
      // Of all alerts, whatever is asked for: an incident is what it is.
      const incidents = (await withStore(run, allIncidents)).filter(
        (incident) =>
          atLeast(incident.severity, minSeverity) &&
          (status.includes('all') || status.includes(incident.status)) &&
          Date.parse(incident.last_seen) >= fromMs &&
          Date.parse(incident.first_seen) < toMs,
      );
      await printIncidents(run.output, incidents, run.terminal);
      run.terminal.info(plural(incidents.length, 'incident'));
      return 0;
    },
  );
}

async function allIncidents(store: Store): Promise<readonly Incident[]> {
  return incidentsOf(await store.alertOutlines());
}

/** A shorter beginning of an id would name incidents by chance. */
const ID_PREFIX_MIN = 4;

/** By its id or a unique beginning of it. Throws `incident-unknown`. */
export async function findIncident(store: Store, idPrefix: string): Promise<Incident> {
  const wanted = idPrefix.toLowerCase();
  const found = (await allIncidents(store)).filter(({ id }) => wanted.length >= ID_PREFIX_MIN && id.startsWith(wanted));
  const [incident] = found;
  if (incident !== undefined && found.length === 1) return incident;
  const problem =
    incident === undefined
      ? `cannot find the incident '${idPrefix}': no id begins with it`
      : `cannot tell which incident '${idPrefix}' means: several ids begin with it`;
  throw new AppError('incident-unknown', problem, {
    hint: `Give at least ${ID_PREFIX_MIN} digits of an id that 'trailhound alerts incidents --status all' prints.`,
  });
}
