/** The wiring: the one file that names implementations. Commands load it when they run, so that --help loads no engine. */
import type { Table } from '../table.ts';
import { cloudtrailTable } from '../formats/cloudtrail-table.ts';

export { openStore } from '../store/store.ts';

/** Every table that a format fills. */
export const TABLES: readonly Table[] = [cloudtrailTable];
