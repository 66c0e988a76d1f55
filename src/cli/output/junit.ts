/** Outcomes of examples as JUnit XML, which CI systems read: https://github.com/testmoapp/junitxml */
interface Outcome {
  readonly detector: string;
  readonly example: string;
  readonly problems: readonly string[];
}

export function junit(outcomes: readonly Outcome[]): string {
  const suites = [...new Set(outcomes.map(({ detector }) => detector))].map((detector) =>
    suite(
      detector,
      outcomes.filter((outcome) => outcome.detector === detector),
    ),
  );
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="detectors" ${counts(outcomes)}>\n${suites.join('')}</testsuites>\n`;
}

const counts = (outcomes: readonly Outcome[]): string =>
  `tests="${outcomes.length}" failures="${outcomes.filter(({ problems }) => problems.length > 0).length}"`;

function suite(detector: string, outcomes: readonly Outcome[]): string {
  const cases = outcomes.map(({ example, problems }) => {
    const head = `    <testcase classname="${xml(detector)}" name="${xml(example || 'examples')}"`;
    if (problems.length === 0) return `${head}/>\n`;
    return `${head}>\n      <failure message="${xml(problems[0] ?? '')}">${xml(problems.join('\n'))}</failure>\n    </testcase>\n`;
  });
  return `  <testsuite name="${xml(detector)}" ${counts(outcomes)}>\n${cases.join('')}  </testsuite>\n`;
}

/** As text and as the value of an attribute; what XML 1.0 cannot hold at all is shown as its number. */
const xml = (text: string): string =>
  text
    .replaceAll(
      /[^\t\n\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu,
      (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
    )
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
