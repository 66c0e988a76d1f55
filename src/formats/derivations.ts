/** Portable SQL that the derived columns of several tables share. */

const OCTET = '(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])';

/** The column where it holds an IP address, else NULL. */
export const addressIn = (column: string): string =>
  `CASE WHEN regexp_like(${column}, '^(${OCTET}[.]){3}${OCTET}$|^[0-9a-fA-F]{0,4}:[0-9a-fA-F:.]*:[0-9a-fA-F.]*$') THEN ${column} END`;

/** ARN of a role's session: partition, account, role without its path. */
const ROLE_SESSION = '^arn:([^:]+):sts::([0-9]{12}):assumed-role/([^/]+)/.*$';

/** ARN of the role from the ARN of one of its sessions, which leaves the role's path out. */
export const roleOfSession = (column: string): string =>
  `regexp_replace(${column}, '${ROLE_SESSION}', 'arn:$1:iam::$2:role/$3')`;
