import { testAgainstJsonParse } from './json-fuzz.ts';
import { wafOracle } from './oracle.ts';

testAgainstJsonParse(wafOracle);
