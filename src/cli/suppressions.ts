/** What a suppression can look at. A column that nothing has would never match, and the alerts that it was meant for would go on. */
import { AppError } from '../errors.ts';
import type { Suppression } from '../store.ts';
import { suggestion } from '../suggest.ts';
import type { Run } from './command.ts';
import type { Catalogue } from './detectors.ts';
import { INDICATOR_SUBJECT } from './indicators.ts';

/** Tells of each column that neither the alerts of the suppressed detectors nor the tables have. */
export async function checkColumns(
  { entries }: Catalogue,
  { detector, where }: Pick<Suppression, 'detector' | 'where'>,
  tell: (column: string, problem: { readonly message: string; readonly hint: string }) => void,
): Promise<void> {
  if (Object.keys(where).length === 0) return;
  const { ALERT_COLUMNS, TABLES } = await import('./wire.ts');
  const covered = entries.filter((entry) => detector === null || entry.detector.id === detector);
  const subjects = [
    ...covered.flatMap((entry) => entry.detector.subject),
    ...(detector === null ? INDICATOR_SUBJECT : []),
  ];
  const known = [
    ...new Set([...ALERT_COLUMNS, ...subjects, ...TABLES.flatMap(({ columns }) => columns.map(({ name }) => name))]),
  ];
  for (const column of Object.keys(where).filter((name) => !known.includes(name))) {
    tell(column, {
      message: `no alert, subject or table has the column '${column}'.${suggestion(column, known)}`,
      hint: `Columns: ${known.join(', ')}.`,
    });
  }
}

/** Those of the config, which have no number in the store: theirs count down from -1. Throws `config-invalid`. */
export async function configSuppressions({ config }: Pick<Run<unknown>, 'config'>): Promise<readonly Suppression[]> {
  if (config.suppress.length > 0) {
    const { loadDetectors } = await import('./detectors.ts');
    const catalogue = await loadDetectors(config);
    const ids = catalogue.entries.map(({ detector }) => detector.id);
    for (const [index, suppression] of config.suppress.entries()) {
      const { detector } = suppression;
      if (detector !== null && !ids.includes(detector)) {
        const path = ['suppress', index, 'detector'];
        throw new AppError(
          'config-invalid',
          `${config.placeOf(path)}: ${path.join('.')}: there is no detector '${detector}'.${suggestion(detector, ids)}`,
          { hint: '`trailhound detectors list` shows them all.' },
        );
      }
      await checkColumns(catalogue, suppression, (column, { message, hint }) => {
        const path = ['suppress', index, 'where', column];
        throw new AppError('config-invalid', `${config.placeOf(path)}: ${path.join('.')}: ${message}`, { hint });
      });
    }
  }
  return config.suppress.map((suppression, at) => ({ ...suppression, id: -at - 1 }));
}
