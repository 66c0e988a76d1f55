/** What a suppression can look at. A column that nothing has would never match, and the alerts that it was meant for would go on. */
import { AppError } from '../errors.ts';
import type { Store, Suppression } from '../store.ts';
import { suggestion } from '../suggest.ts';
import { DAY_MS } from '../time.ts';
import type { Run } from './command.ts';
import type { Config } from './config.ts';
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

/** Those of the config, which have no number in the store. */
const unnumbered = ({ suppress }: Config): readonly Suppression[] =>
  suppress.map((suppression) => ({ ...suppression, id: 0 }));

/** The same, checked. Throws `config-invalid`. */
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
  return unnumbered(config);
}

/** A suppression that hid nothing for so long may stand for something that is no longer there. */
export const IDLE_DAYS = 90;

const SUPPRESSION_STATES = ['expired', 'idle', 'active'] as const;

/** A suppression and what it does. Property order is the order of printing. */
export interface ListedSuppression {
  /** The number, or `config:` and a hash of what it covers: as alerts name it. */
  readonly id: number | string;
  readonly detector: string | null;
  readonly where: Readonly<Record<string, string>>;
  readonly reason: string;
  readonly owner: string;
  readonly until: string | null;
  /** `idle`: in force, and no hunt found anything for it to hide in IDLE_DAYS. */
  readonly state: (typeof SUPPRESSION_STATES)[number];
  /** Alerts that it hides. */
  readonly alerts: number;
  /** ISO 8601: the last event of the newest of them. */
  readonly last_seen: string | null;
}

/** All of the config and of the store, those first that ask to be looked at. */
export async function listSuppressions(
  store: Store,
  { config, nowMs }: Pick<Run<unknown>, 'config' | 'nowMs'>,
): Promise<readonly ListedSuppression[]> {
  const { suppressionLabel } = await import('./wire.ts');
  const [stored, uses] = await Promise.all([store.suppressions(), store.suppressionUses()]);
  const byLabel = new Map(uses.map((use) => [use.suppression, use]));
  const listed = [...unnumbered(config), ...stored].map((suppression): ListedSuppression => {
    const { id, detector, where, reason, owner, until, createdAt } = suppression;
    const label = suppressionLabel(suppression);
    const use = byLabel.get(label);
    const quietSince = use?.usedAt ?? createdAt;
    const isExpired = until !== null && Date.parse(until) <= nowMs;
    // Nobody knows since when one of the config stands there.
    const isIdle = quietSince !== undefined && nowMs - Date.parse(quietSince) > IDLE_DAYS * DAY_MS;
    return {
      id: id > 0 ? id : label,
      detector,
      where,
      reason,
      owner,
      until,
      state: isExpired ? 'expired' : isIdle ? 'idle' : 'active',
      alerts: use?.alerts ?? 0,
      last_seen: use?.lastSeen ?? null,
    };
  });
  return listed.toSorted((a, b) => SUPPRESSION_STATES.indexOf(a.state) - SUPPRESSION_STATES.indexOf(b.state));
}
