/** Names of the ATT&CK techniques that detectors use, and how their numbers changed between versions. */

/** Enterprise techniques by number, as named in the last version that has the number: https://attack.mitre.org/techniques/enterprise/ */
export const TECHNIQUES: Readonly<Record<string, string>> = {
  'T1021.004': 'Remote Services: SSH',
  'T1021.008': 'Remote Services: Direct Cloud VM Connections',
  T1040: 'Network Sniffing',
  T1048: 'Exfiltration Over Alternative Protocol',
  'T1059.009': 'Command and Scripting Interpreter: Cloud API',
  T1070: 'Indicator Removal',
  'T1078.004': 'Valid Accounts: Cloud Accounts',
  'T1087.004': 'Account Discovery: Cloud Account',
  T1090: 'Proxy',
  T1098: 'Account Manipulation',
  'T1098.001': 'Account Manipulation: Additional Cloud Credentials',
  'T1098.003': 'Account Manipulation: Additional Cloud Roles',
  'T1098.006': 'Account Manipulation: Additional Container Cluster Roles',
  T1105: 'Ingress Tool Transfer',
  T1110: 'Brute Force',
  'T1110.001': 'Brute Force: Password Guessing',
  'T1110.003': 'Brute Force: Password Spraying',
  'T1110.004': 'Brute Force: Credential Stuffing',
  'T1136.003': 'Create Account: Cloud Account',
  T1190: 'Exploit Public-Facing Application',
  T1199: 'Trusted Relationship',
  'T1484.002': 'Domain or Tenant Policy Modification: Trust Modification',
  T1485: 'Data Destruction',
  'T1485.001': 'Data Destruction: Lifecycle-Triggered Deletion',
  T1486: 'Data Encrypted for Impact',
  T1490: 'Inhibit System Recovery',
  T1496: 'Resource Hijacking',
  'T1496.001': 'Resource Hijacking: Compute Hijacking',
  'T1496.004': 'Resource Hijacking: Cloud Service Hijacking',
  T1498: 'Network Denial of Service',
  T1499: 'Endpoint Denial of Service',
  T1525: 'Implant Internal Image',
  T1526: 'Cloud Service Discovery',
  T1530: 'Data from Cloud Storage',
  T1531: 'Account Access Removal',
  T1535: 'Unused/Unsupported Cloud Regions',
  T1537: 'Transfer Data to Cloud Account',
  T1546: 'Event Triggered Execution',
  'T1548.005': 'Abuse Elevation Control Mechanism: Temporary Elevated Cloud Access',
  'T1550.001': 'Use Alternate Authentication Material: Application Access Token',
  T1552: 'Unsecured Credentials',
  'T1552.001': 'Unsecured Credentials: Credentials In Files',
  'T1552.005': 'Unsecured Credentials: Cloud Instance Metadata API',
  'T1555.006': 'Credentials from Password Stores: Cloud Secrets Management Stores',
  T1556: 'Modify Authentication Process',
  'T1556.006': 'Modify Authentication Process: Multi-Factor Authentication',
  'T1562.001': 'Impair Defenses: Disable or Modify Tools',
  'T1562.007': 'Impair Defenses: Disable or Modify Cloud Firewall',
  'T1562.008': 'Impair Defenses: Disable or Modify Cloud Logs',
  'T1565.001': 'Data Manipulation: Stored Data Manipulation',
  T1578: 'Modify Cloud Compute Infrastructure',
  'T1578.003': 'Modify Cloud Compute Infrastructure: Delete Cloud Instance',
  T1580: 'Cloud Infrastructure Discovery',
  'T1584.001': 'Compromise Infrastructure: Domains',
  T1595: 'Active Scanning',
  'T1595.002': 'Active Scanning: Vulnerability Scanning',
  'T1595.003': 'Active Scanning: Wordlist Scanning',
  T1619: 'Cloud Storage Object Discovery',
  T1648: 'Serverless Execution',
  T1651: 'Cloud Administration Command',
  T1666: 'Modify Cloud Resource Hierarchy',
};

/**
 * What each technique is for, without its sub-technique. ATT&CK files some of them under several tactics; this is the one that they serve in the detectors here:
 * https://attack.mitre.org/tactics/enterprise/
 */
const TACTICS: Readonly<Record<string, string>> = {
  T1021: 'lateral-movement',
  T1040: 'credential-access',
  T1048: 'exfiltration',
  T1059: 'execution',
  T1070: 'defense-evasion',
  T1078: 'initial-access',
  T1087: 'discovery',
  T1090: 'command-and-control',
  T1098: 'persistence',
  T1105: 'command-and-control',
  T1110: 'credential-access',
  T1136: 'persistence',
  T1190: 'initial-access',
  T1199: 'initial-access',
  T1484: 'privilege-escalation',
  T1485: 'impact',
  T1486: 'impact',
  T1490: 'impact',
  T1496: 'impact',
  T1498: 'impact',
  T1499: 'impact',
  T1525: 'persistence',
  T1526: 'discovery',
  T1530: 'collection',
  T1531: 'impact',
  T1535: 'defense-evasion',
  T1537: 'exfiltration',
  T1546: 'persistence',
  T1548: 'privilege-escalation',
  T1550: 'lateral-movement',
  T1552: 'credential-access',
  T1555: 'credential-access',
  T1556: 'credential-access',
  T1562: 'defense-evasion',
  T1565: 'impact',
  T1578: 'defense-evasion',
  T1580: 'discovery',
  T1584: 'resource-development',
  T1595: 'reconnaissance',
  T1619: 'discovery',
  T1648: 'execution',
  T1651: 'execution',
  T1666: 'defense-evasion',
};

/** Before the numbers of ALIASES were replaced. */
const TACTICS_VERSION = 18;

/** The tactic of a technique, known by its number in `version` of ATT&CK; null for one that no detector here uses. */
export function tacticOf(technique: string, version: number): string | null {
  return TACTICS[techniqueIn(technique, version, TACTICS_VERSION).slice(0, 5)] ?? null;
}

interface Alias {
  readonly from: string;
  readonly to: string;
  /** The version of ATT&CK that replaced the number. */
  readonly since: number;
}

/** Version 19 split Defense Evasion and took the numbers of T1562 out of use: https://attack.mitre.org/resources/updates/ */
const ALIASES: readonly Alias[] = [
  { from: 'T1562.001', to: 'T1685', since: 19 },
  { from: 'T1562.007', to: 'T1686.001', since: 19 },
  { from: 'T1562.008', to: 'T1685.002', since: 19 },
];

/** The number that a technique, known by its number in version `from`, has in version `to` of ATT&CK. */
export function techniqueIn(technique: string, from: number, to: number): string {
  const alias = ALIASES.find(
    (candidate) =>
      (from < candidate.since && candidate.since <= to && candidate.from === technique) ||
      (to < candidate.since && candidate.since <= from && candidate.to === technique),
  );
  if (alias === undefined) return technique;
  return alias.from === technique ? alias.to : alias.from;
}
