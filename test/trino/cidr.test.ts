/** Comparisons with networks on Trino: the same addresses lie in them as on this machine. */
import { describe, expect, test } from 'vitest';
import { firstOf, parseNetwork } from '../../src/network.ts';
import { liesIn, pairsOf } from '../support/networks.ts';
import { openTrino, trinoAtHand } from './engines.ts';

const SEED = Number(process.env['TRAILHOUND_CIDR_SEED'] ?? 20_261);
const TOGETHER = 200;

const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

describe.skipIf(trinoAtHand === null)(`of seed ${SEED}`, () => {
  test('a literal network and one of a column hold the same addresses as on DuckDB', async () => {
    const trino = openTrino().over({ relations: [] });
    const pairs = pairsOf(SEED, 1000);
    const wrong: unknown[] = [];
    for (let first = 0; first < pairs.length; first += TOGETHER) {
      const some = pairs.slice(first, first + TOGETHER);
      const columns = some.map(
        ([network], at) => `CASE WHEN n = ${at} THEN cidr_match(${literal(network)}, a) END AS c${at}`,
      );
      const list = (texts: readonly string[]): string => `ARRAY[${texts.map(literal).join(', ')}]`;
      const networks = list(some.map(([network]) => network));
      const addresses = list(some.map(([, address]) => address));
      const numbers = `ARRAY[${some.map((_, at) => at).join(', ')}]`;
      // Not out of VALUES: what is told of constants alone is worked out before the statement runs, and there nothing catches what fails.
      const { rows } = await trino.query(
        `SELECT n, cidr_match(net, a) AS lies, ${columns.join(', ')} FROM UNNEST(${numbers}, ${networks}, ${addresses}) AS pair (n, net, a) ORDER BY n`,
      );
      for (const [at, [network, address]] of some.entries()) {
        const net = parseNetwork(network);
        // Of a column only such as begin at their first address: others are told apart where they are literals alone.
        const isPlain = net !== null && firstOf(net).value === net.value;
        const lies = rows[at]?.['lies'];
        const found = [isPlain ? lies : liesIn(network, address), rows[at]?.[`c${at}`]];
        const expected = liesIn(network, address);
        if (found.some((one) => one !== expected)) wrong.push({ network, address, found, expected });
      }
    }
    expect(wrong).toEqual([]);
  });
});
