/** Rank: which alert to look at first. A pure function of all alerts, whatever the order in which they were found; each point has a reason that can be told. */
import type { AlertOutline, Severity } from './alert.ts';
import { firstTacticOf, type Incident, incidentsOf, principalOf, TACTICS_OF_A_CHAIN } from './incident.ts';
import { DAY_MS, slotStart } from './time.ts';

/** The columns of the relation `alert_rank`: the points are the sum of the others. */
export interface Rank {
  readonly alert_id: string;
  /** 1 is looked at first; no two are equal. */
  readonly place: number;
  readonly points: number;
  readonly severity: number;
  /** Of how few principals this detector raises alerts. */
  readonly rarity: number;
  /** For the first alert of this detector about this principal, where it speaks of it on no other day. */
  readonly news: number;
  /** Zero or less: the detector says the same of this principal on other days as well. */
  readonly habit: number;
  /** How much else that is no habit the same principal did around it. */
  readonly chain: number;
  /** Zero or less: what stands above it is of the same incident or the same detector. */
  readonly told: number;
}

const SEVERITY_POINTS: Readonly<Record<Severity, number>> = {
  informational: 0,
  low: 10,
  medium: 25,
  high: 40,
  critical: 55,
};
/** Of the only principal of its detector; each doubling takes 4, so that 32 principals in such a time leave nothing. */
const RAREST = 20;
const RARER_PER_DOUBLING = 4;
/** What is counted lies no farther from the alert than this, before or after it. */
const RARITY_MS = 15 * DAY_MS;
const NEWS_POINTS = 10;
/** For each doubling of the days on which the detector speaks of the principal: what recurs is known, and mostly work. A burst is of one day, and no habit. */
const HABIT_POINTS = 5;
const HABIT_MOST = 20;
/** More days than these are a habit, which adds to no chain: an intruder who stays for some days has none. */
const DAYS_OF_NO_HABIT = 3;
/** For each other detector of the incident, up to the third: more would say the same. */
const CHAIN_POINTS = 5;
const CHAIN_DETECTORS = 3;
/** Where those pass through as many tactics as make an incident more severe. */
const TACTICS_POINTS = 10;
/**
 * Each further alert of an incident or of a detector gives way, so that the first page shows what differs; not without end, or the last would sink below all noise. And the
 * first alert of an incident tells of its chain: the points for it count once.
 */
const TOLD_POINTS = 10;
const TOLD_TIMES = 3;

interface Timed {
  readonly alert: AlertOutline;
  readonly fromMs: number;
  readonly toMs: number;
}

interface Judged {
  readonly timed: Timed;
  readonly reasons: Omit<Rank, 'place'>;
}

/** In the order of their places. Suppressed and withdrawn alerts are ranked as well, and count for no other. */
export function ranksOf(alerts: readonly AlertOutline[]): readonly Rank[] {
  const incidentById = new Map(
    incidentsOf(alerts).flatMap((incident) => incident.alert_ids.map((id) => [id, incident] as const)),
  );
  const all = alerts.map(
    (alert): Timed => ({ alert, fromMs: Date.parse(alert.first_seen), toMs: Date.parse(alert.last_seen) }),
  );
  const neighbours = new Neighbours(all);
  const steps = stepsByIncident(all, incidentById, neighbours);
  const judged = all.map((timed): Judged => {
    const { id, severity: word } = timed.alert;
    const severity = SEVERITY_POINTS[word];
    const rarity = Math.max(0, Math.round(RAREST - RARER_PER_DOUBLING * Math.log2(neighbours.principals(timed))));
    const days = neighbours.days(timed);
    const news = days === 1 && neighbours.isFirst(timed) ? NEWS_POINTS : 0;
    const habit = -Math.min(HABIT_MOST, Math.round(HABIT_POINTS * Math.log2(days))) || 0;
    const chain = chainPoints(timed.alert, incidentById.get(id), steps);
    const points = severity + rarity + news + habit + chain;
    return { timed, reasons: { alert_id: id, points, severity, rarity, news, habit, chain, told: 0 } };
  });
  return inTurn(judged, incidentById).map(({ reasons }, at) => ({ ...reasons, place: at + 1 }));
}

const counts = ({ status }: AlertOutline): boolean => status !== 'withdrawn' && status !== 'suppressed';

/** The detectors of each incident that say what is no habit of its principal, and their tactics. */
interface Steps {
  readonly detectors: Set<string>;
  readonly tactics: Set<string>;
}

function stepsByIncident(
  all: readonly Timed[],
  incidentById: ReadonlyMap<string, Incident>,
  neighbours: Neighbours,
): ReadonlyMap<string, Steps> {
  const found = new Map<string, Steps>();
  for (const timed of all) {
    const incident = incidentById.get(timed.alert.id)?.id;
    if (incident === undefined || neighbours.days(timed) > DAYS_OF_NO_HABIT) continue;
    const own = found.get(incident) ?? { detectors: new Set(), tactics: new Set() };
    found.set(incident, own);
    own.detectors.add(timed.alert.detector);
    const tactic = firstTacticOf(timed.alert);
    if (tactic !== null) own.tactics.add(tactic);
  }
  return found;
}

function chainPoints(
  { detector }: AlertOutline,
  incident: Incident | undefined,
  steps: ReadonlyMap<string, Steps>,
): number {
  const own = incident && steps.get(incident.id);
  if (own === undefined) return 0;
  const others = Math.min(own.detectors.size - (own.detectors.has(detector) ? 1 : 0), CHAIN_DETECTORS);
  return CHAIN_POINTS * others + (own.tactics.size >= TACTICS_OF_A_CHAIN ? TACTICS_POINTS : 0);
}

/** The alerts of the same detector around an alert. */
class Neighbours {
  readonly #principals = new Map<Timed, number>();
  readonly #byPair = new Map<string, Timed[]>();
  readonly #daysOfPair = new Map<string, number[]>();

  constructor(all: readonly Timed[]) {
    const byDetector = new Map<string, Timed[]>();
    for (const timed of all.toSorted(byTime)) {
      put(byDetector, timed.alert.detector, timed);
      if (!counts(timed.alert)) continue;
      const pair = pairOf(timed.alert);
      put(this.#byPair, pair, timed);
      const dayMs = slotStart(timed.fromMs, DAY_MS);
      if (this.#daysOfPair.get(pair)?.at(-1) !== dayMs) put(this.#daysOfPair, pair, dayMs);
    }
    for (const own of byDetector.values()) this.#countPrincipals(own);
  }

  /** Of how many principals the detector speaks around it, its own counted. */
  principals(timed: Timed): number {
    return Math.max(1, this.#principals.get(timed) ?? 0);
  }

  /** What is around an alert is a window that moves on with it. */
  #countPrincipals(own: readonly Timed[]): void {
    const others = own.filter(({ alert }) => counts(alert));
    const inside = new Map<string, number>();
    let [first, end] = [0, 0];
    for (const timed of own) {
      for (
        let next = others[end];
        next !== undefined && next.fromMs - timed.fromMs <= RARITY_MS;
        next = others[++end]
      ) {
        const pair = pairOf(next.alert);
        inside.set(pair, (inside.get(pair) ?? 0) + 1);
      }
      for (
        let last = others[first];
        last !== undefined && timed.fromMs - last.fromMs > RARITY_MS;
        last = others[++first]
      ) {
        const pair = pairOf(last.alert);
        const left = (inside.get(pair) ?? 0) - 1;
        if (left > 0) inside.set(pair, left);
        else inside.delete(pair);
      }
      this.#principals.set(timed, inside.size);
    }
  }

  /** On how many days around it, its own counted, the detector speaks of the same principal. */
  days({ alert, fromMs }: Timed): number {
    const own = this.#daysOfPair.get(pairOf(alert)) ?? [];
    const until = (ms: number): number => firstWhere(own, (dayMs) => dayMs >= ms);
    return Math.max(1, until(fromMs + RARITY_MS + 1) - until(slotStart(fromMs - RARITY_MS, DAY_MS)));
  }

  /** None of the same detector and principal came in the time before it. */
  isFirst(timed: Timed): boolean {
    const own = this.#byPair.get(pairOf(timed.alert)) ?? [];
    const last = own[firstWhere(own, (other) => byTime(other, timed) >= 0) - 1];
    return last === undefined || timed.fromMs - last.fromMs > RARITY_MS;
  }
}

const byTime = (a: Timed, b: Timed): number =>
  a.fromMs - b.fromMs || (a.alert.id < b.alert.id ? -1 : Number(a.alert.id > b.alert.id));

/** Of an alert about no principal, what it is about instead. */
const pairOf = (alert: AlertOutline): string =>
  JSON.stringify([alert.detector, principalOf(alert) ?? Object.values(alert.subject)]);

function put<V>(map: Map<string, V[]>, key: string, value: V): void {
  const own = map.get(key);
  if (own === undefined) map.set(key, [value]);
  else own.push(value);
}

/** Where the first one stands for which this holds; it holds for all behind it. */
function firstWhere<T>(sorted: readonly T[], holds: (item: T) => boolean): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(sorted[middle] as T)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The best first; of equal ones the more severe, then the newer. What tells of an incident or by a detector that stands above already gives way. */
function inTurn(judged: readonly Judged[], incidentById: ReadonlyMap<string, Incident>): readonly Judged[] {
  const above = new Map<string, number>();
  return judged
    .toSorted(inOrder)
    .map(({ timed, reasons }) => {
      const { id, detector } = timed.alert;
      const passed = (...key: readonly string[]): number => {
        const text = JSON.stringify(key);
        const before = above.get(text) ?? 0;
        if (counts(timed.alert)) above.set(text, before + 1);
        return before;
      };
      const incident = incidentById.get(id)?.id;
      const ofIncident = incident === undefined ? 0 : passed('incident', incident);
      const ofBoth = incident === undefined ? 0 : passed('both', incident, detector);
      const before = passed('detector', detector) + ofIncident - ofBoth;
      const told = -TOLD_POINTS * Math.min(before, TOLD_TIMES) - (ofIncident > 0 ? reasons.chain : 0) || 0;
      return { timed, reasons: { ...reasons, points: reasons.points + told, told } };
    })
    .toSorted(inOrder);
}

const inOrder = (a: Judged, b: Judged): number =>
  b.reasons.points - a.reasons.points ||
  b.reasons.severity - a.reasons.severity ||
  b.timed.toMs - a.timed.toMs ||
  (a.timed.alert.id < b.timed.alert.id ? -1 : 1);

/** `3 of 51: 85 points (severity 40, rare 20, new here 10, part of a chain 25, told by others -10)`. */
export function rankText(rank: Omit<Rank, 'alert_id'> & { readonly of: number }): string {
  const { place, of, points, severity, rarity, news, habit, chain, told } = rank;
  const parts = [
    `severity ${severity}`,
    ...(rarity > 0 ? [`rare ${rarity}`] : []),
    ...(news > 0 ? [`new here ${news}`] : []),
    ...(habit < 0 ? [`a habit ${habit}`] : []),
    ...(chain > 0 ? [`part of a chain ${chain}`] : []),
    ...(told < 0 ? [`told by others ${told}`] : []),
  ];
  return `${place} of ${of}: ${points} points (${parts.join(', ')})`;
}
