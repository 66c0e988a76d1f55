/** A layer of the ATT&CK Navigator, format 4.5: https://github.com/mitre-attack/attack-navigator/blob/master/layers/spec/v4.5/layerformat.md */
interface Covered {
  readonly id: string;
  readonly covered: readonly string[];
  readonly blind: readonly string[];
}

const LAYER = '4.5';
const NAVIGATOR = '5.1.0';
/** Of techniques that are looked for in logs that are not there. */
const BLIND_COLOR = '#d9d9d9';

export function navigatorLayer(techniques: readonly Covered[], attack: number, isOfStore: boolean): object {
  const most = Math.max(1, ...techniques.map(({ covered }) => covered.length));
  return {
    name: 'trailhound',
    versions: { attack: String(attack), navigator: NAVIGATOR, layer: LAYER },
    domain: 'enterprise-attack',
    description: isOfStore
      ? 'Techniques that detectors of trailhound look for in the logs of the store; grey where those logs are missing.'
      : 'Techniques that detectors of trailhound look for where all logs are there.',
    techniques: techniques.map(({ id, covered, blind }) => ({
      techniqueID: id,
      score: covered.length,
      enabled: true,
      comment: [
        ...(covered.length > 0 ? [`Covered by ${covered.join(', ')}`] : []),
        ...(blind.length > 0 ? [`Not covered: ${blind.join(', ')}`] : []),
      ].join('\n'),
      ...(covered.length === 0 && { color: BLIND_COLOR }),
      showSubtechniques: true,
    })),
    gradient: { colors: ['#e5f5e0', '#31a354'], minValue: 0, maxValue: most },
    legendItems: [{ label: 'looked for, but the logs are missing', color: BLIND_COLOR }],
    hideDisabled: false,
  };
}
