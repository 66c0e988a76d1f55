/** A container or batch job mines coins. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const task = (image: string, command = '') => ({
  eventSource: 'ecs.amazonaws.com',
  eventName: 'RegisterTaskDefinition',
  requestParameters: { family: 'worker', containerDefinitions: [{ name: 'worker', image, command: [command] }] },
});
const job = {
  eventSource: 'batch.amazonaws.com',
  eventName: 'RegisterJobDefinition',
  requestParameters: { jobDefinitionName: 'worker', containerProperties: { image: 'xmrig/xmrig' } },
};
const mine = task('xmrig/xmrig:latest');

export const detector = defineDetector({
  id: 'miner-image-registered',
  title: 'A container that mines coins was registered',
  description:
    'The image, the command or the environment of a task or job definition names a known miner, a mining pool or its protocol.',
  severity: 'high',
  severityReason: 'Nobody registers a miner by accident.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1496.001', version: 16 }],
  tags: ['impact'],
  when: {
    all: [
      {
        any: [
          { event_source: 'ecs.amazonaws.com', event_name: 'RegisterTaskDefinition' },
          { event_source: 'batch.amazonaws.com', event_name: 'RegisterJobDefinition' },
        ],
      },
      { outcome: 'success', request_parameters: { re: parameter('miners') } },
      { not: { actor_type: 'service' } },
    ],
  },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} registered {request_parameters.family}{request_parameters.jobDefinitionName} with a miner in {aws_region} from {source_address}',
  parameters: {
    miners: z
      .string()
      .default(
        '(?i)xmrig|stratum[+](tcp|ssl)|donate-level|minexmr|monero|nicehash|ethminer|cpuminer|kdevtmpfsi|moneroocean|randomx',
      )
      .describe('RE2 pattern of names of miners, of pools and of their protocol, found anywhere in the request'),
  },
  falsePositives: ['A laboratory that studies miners.'],
  blindSpots: [
    'Miners under a harmless name, or fetched when the container starts.',
    'Containers in Kubernetes, whose audit log is its own.',
  ],

  response: [
    'Deregister it, stop its tasks; request_parameters.containerDefinitions names the image.',
    'Run the saved question principal-timeline for the principal in all regions.',
  ],
  examples: [
    {
      name: 'each sign of a miner',
      records: [
        task('xmrig/xmrig:latest'),
        task('alpine', 'stratum+tcp://pool.example.com:3333'),
        task('alpine', 'stratum+ssl://pool.example.com:443'),
        task('alpine', '--donate-level=1'),
        task('alpine', '-o pool.minexmr.com'),
        task('alpine', '--coin monero'),
        task('nicehash/a'),
        task('ethminer'),
        task('cpuminer'),
        task('kdevtmpfsi'),
        task('alpine', '-o gulf.moneroocean.stream'),
        task('alpine', '--algo randomx'),
        job,
      ],
      alerts: [
        { subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 13 },
      ],
    },
    { name: 'an ordinary container', records: [task('alpine'), task('examiner/api', 'serve --pool 10')], alerts: [] },
    {
      name: 'another call, another service',
      records: [
        { ...mine, eventName: 'DescribeTaskDefinition' },
        { ...mine, eventSource: 'example.amazonaws.com' },
        { ...job, eventName: 'SubmitJob' },
        { ...job, eventSource: 'example.amazonaws.com' },
      ],
      alerts: [],
    },
    {
      name: 'refused, or by an AWS service',
      records: [
        { ...mine, errorCode: 'ClientException' },
        { ...mine, userIdentity: { type: 'AWSService', invokedBy: 'batch.amazonaws.com' } },
      ],
      alerts: [],
    },
  ],
});
