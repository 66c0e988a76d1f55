import { testAgainstJsonParse } from './json-fuzz.ts';
import { cloudtrailOracle } from './oracle.ts';

testAgainstJsonParse(cloudtrailOracle);
