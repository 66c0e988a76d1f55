/** Rank: which alert to look at first. A pure function of all alerts, whatever the order in which they were found; each point has a reason that can be told. */
import type { Alert, Severity } from './alert.ts';
import { type Incident, incidentsOf, principalOf, TACTICS_OF_A_CHAIN } from './incident.ts';
import { DAY_MS } from './time.ts';

/** The columns of the relation `alert_rank`: the points are the sum of the others. */
export interface Rank {
  readonly alert_id: string;
  /** 1 is looked at first; no two are equal. */
  readonly place: number;
  readonly points: number;
  readonly severity: number;
  /** How seldom this detector raises alerts. */
  readonly rarity: number;
  /** For the first alert of this detector about this principal. */
  readonly news: number;
  /** How much else the same principal did around it. */
  readonly chain: number;
  /** Zero or less: what stands above it tells of the same incident already. */
  readonly told: number;
}

const SEVERITY_POINTS: Readonly<Record<Severity, number>> = {
  informational: 0,
  low: 10,
  medium: 25,
  high: 40,
  critical: 55,
};
/** Of the only alert of its detector; each doubling takes 4, so that 32 alerts in such a time leave nothing: that is one a day. */
const RAREST = 20;
const RARER_PER_DOUBLING = 4;
/** What is counted lies no farther from the alert than this, before or after it. */
const RARITY_MS = 15 * DAY_MS;
const NEWS_POINTS = 10;
/** For each other detector of the incident, up to the third: more would say the same. */
const CHAIN_POINTS = 5;
const CHAIN_DETECTORS = 3;
/** Where the incident passes through as many tactics as make it more severe. */
const TACTICS_POINTS = 10;
/** Each further alert of an incident gives way, so that one noisy principal does not fill the first page; not without end, or its last alert would sink below all noise. */
const TOLD_POINTS = 5;
const TOLD_TIMES = 6;

type Reasons = Omit<Rank, 'place'>;

/** In the order of their places. Suppressed and withdrawn alerts are ranked as well, and count for no other. */
export function ranksOf(alerts: readonly Alert[]): readonly Rank[] {
  const incidentById = new Map(
    incidentsOf(alerts).flatMap((incident) => incident.alert_ids.map((id) => [id, incident] as const)),
  );
  const detectorsOf = detectorsByIncident(alerts, incidentById);
  const neighbours = new Neighbours(alerts.filter(counts));
  const reasons = alerts.map((alert): Reasons => {
    const severity = SEVERITY_POINTS[alert.severity];
    const rarity = Math.max(0, Math.round(RAREST - RARER_PER_DOUBLING * Math.log2(neighbours.alike(alert))));
    const news = neighbours.isFirst(alert) ? NEWS_POINTS : 0;
    const chain = chainPoints(incidentById.get(alert.id), detectorsOf);
    return { alert_id: alert.id, points: severity + rarity + news + chain, severity, rarity, news, chain, told: 0 };
  });
  return inTurn(reasons, new Map(alerts.map((alert) => [alert.id, alert])), incidentById).map((rank, at) => ({
    ...rank,
    place: at + 1,
  }));
}

const counts = ({ status }: Alert): boolean => status !== 'withdrawn' && status !== 'suppressed';

function detectorsByIncident(
  alerts: readonly Alert[],
  incidentById: ReadonlyMap<string, Incident>,
): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>();
  for (const { id, detector } of alerts) {
    const incident = incidentById.get(id)?.id;
    if (incident === undefined) continue;
    const own = found.get(incident);
    if (own === undefined) found.set(incident, new Set([detector]));
    else own.add(detector);
  }
  return found;
}

function chainPoints(incident: Incident | undefined, detectorsOf: ReadonlyMap<string, ReadonlySet<string>>): number {
  if (incident === undefined) return 0;
  const others = Math.min((detectorsOf.get(incident.id)?.size ?? 1) - 1, CHAIN_DETECTORS);
  return CHAIN_POINTS * others + (incident.tactics.length >= TACTICS_OF_A_CHAIN ? TACTICS_POINTS : 0);
}

/** The alerts of the same detector around an alert. */
class Neighbours {
  readonly #times = new Map<string, number[]>();
  readonly #pairs = new Map<string, Alert[]>();

  constructor(alerts: readonly Alert[]) {
    for (const alert of alerts.toSorted(byTime)) {
      put(this.#times, alert.detector, Date.parse(alert.first_seen));
      put(this.#pairs, pairOf(alert), alert);
    }
  }

  /** How many of them there are, itself counted. */
  alike({ detector, first_seen }: Alert): number {
    const times = this.#times.get(detector) ?? [];
    const atMs = Date.parse(first_seen);
    return Math.max(1, below(times, atMs + RARITY_MS + 1) - below(times, atMs - RARITY_MS));
  }

  /** None of the same detector and principal came in the time before it. */
  isFirst(alert: Alert): boolean {
    const atMs = Date.parse(alert.first_seen);
    const own = this.#pairs.get(pairOf(alert)) ?? [];
    return !own.some((other) => byTime(other, alert) < 0 && atMs - Date.parse(other.first_seen) <= RARITY_MS);
  }
}

const byTime = (a: Alert, b: Alert): number =>
  Date.parse(a.first_seen) - Date.parse(b.first_seen) || (a.id < b.id ? -1 : Number(a.id > b.id));

/** Of an alert about no principal, what it is about instead. */
const pairOf = (alert: Alert): string =>
  JSON.stringify([alert.detector, principalOf(alert) ?? Object.values(alert.subject)]);

function put<V>(map: Map<string, V[]>, key: string, value: V): void {
  const own = map.get(key);
  if (own === undefined) map.set(key, [value]);
  else own.push(value);
}

/** How many of the sorted numbers are less than the bound. */
function below(sorted: readonly number[], bound: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? Infinity) < bound) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The best first; of equal ones the more severe, then the newer. Each further alert of an incident gives way. */
function inTurn(
  reasons: readonly Reasons[],
  alertOf: ReadonlyMap<string, Alert>,
  incidentById: ReadonlyMap<string, Incident>,
): readonly Reasons[] {
  const order = (a: Reasons, b: Reasons): number =>
    b.points - a.points ||
    b.severity - a.severity ||
    Date.parse(alertOf.get(b.alert_id)?.last_seen ?? '') - Date.parse(alertOf.get(a.alert_id)?.last_seen ?? '') ||
    (a.alert_id < b.alert_id ? -1 : 1);
  const toldOf = new Map<string, number>();
  return reasons
    .toSorted(order)
    .map((rank) => {
      const incident = incidentById.get(rank.alert_id)?.id;
      if (incident === undefined) return rank;
      const before = toldOf.get(incident) ?? 0;
      toldOf.set(incident, before + 1);
      const told = before === 0 ? 0 : -TOLD_POINTS * Math.min(before, TOLD_TIMES);
      return { ...rank, points: rank.points + told, told };
    })
    .toSorted(order);
}

/** `3 of 51: 85 points (severity 40, rare 20, new here 10, part of a chain 25, told by others -10)`. */
export function rankText(rank: Omit<Rank, 'alert_id'> & { readonly of: number }): string {
  const { place, of, points, severity, rarity, news, chain, told } = rank;
  const parts = [
    `severity ${severity}`,
    ...(rarity > 0 ? [`rare ${rarity}`] : []),
    ...(news > 0 ? [`new here ${news}`] : []),
    ...(chain > 0 ? [`part of a chain ${chain}`] : []),
    ...(told < 0 ? [`told by others ${told}`] : []),
  ];
  return `${place} of ${of}: ${points} points (${parts.join(', ')})`;
}

/** Those of a list, in the order of their places. */
export function byRank(listed: readonly Alert[], ranks: readonly Rank[]): readonly Alert[] {
  const placeOf = new Map(ranks.map(({ alert_id, place }) => [alert_id, place]));
  return listed.toSorted((a, b) => (placeOf.get(a.id) ?? Infinity) - (placeOf.get(b.id) ?? Infinity));
}
