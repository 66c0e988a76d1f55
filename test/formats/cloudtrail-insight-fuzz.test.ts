import { testAgainstJsonParse } from './json-fuzz.ts';
import { insightOracle } from './oracle.ts';

testAgainstJsonParse(insightOracle);
