/** Where CloudTrail's names differ from those of the service models, by AWS's pages. */

/** Services whose events come from another source than the one that their requests are signed for. */
export const LOGGED_ELSEWHERE: readonly { readonly service: string; readonly sources: readonly string[] }[] = [
  // https://docs.aws.amazon.com/singlesignon/latest/userguide/sso-info-in-cloudtrail.html
  { service: 'SSO', sources: ['sso', 'awsssoportal'] },
  { service: 'SSO OIDC', sources: ['sso', 'sso-oauth'] },
  // https://docs.aws.amazon.com/autoscaling/application/userguide/logging-using-cloudtrail.html
  { service: 'Application Auto Scaling', sources: ['autoscaling', 'application-autoscaling'] },
  // https://docs.aws.amazon.com/cloudhsm/latest/userguide/get-api-logs-using-cloudtrail.html
  { service: 'CloudHSM V2', sources: ['cloudhsm', 'cloudhsmv2'] },
  // https://docs.aws.amazon.com/servicecatalog/latest/arguide/logging-using-cloudtrail.html
  { service: 'Service Catalog AppRegistry', sources: ['servicecatalog-appregistry', 'servicecatalog'] },
  // https://docs.aws.amazon.com/iot/latest/developerguide/iot-using-cloudtrail.html
  { service: 'IoT Data Plane', sources: ['iot', 'iotdata'] },
  // https://docs.aws.amazon.com/lexv2/latest/dg/monitoring-cloudtrail.html
  { service: 'Lex Models V2', sources: ['lex', 'models-v2-lex'] },
  { service: 'Lex Runtime V2', sources: ['lex', 'runtime-v2-lex'] },
  // https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-express-one-zone-logging.html
  { service: 'S3', sources: ['s3', 's3express'] },
  // https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-s3-info.html, on Outposts and on object Lambda access points
  { service: 'S3 Control', sources: ['s3', 's3express', 's3-outposts', 's3-object-lambda'] },
];

const S3 = 'https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-s3-info.html';

/** Operations that CloudTrail logs under another name only: see the same source below. */
export const NOT_LOGGED: readonly { readonly source: string; readonly names: readonly string[] }[] = [
  {
    source: 's3',
    names: [
      'DeletePublicAccessBlock',
      'GetBucketLifecycleConfiguration',
      'GetBucketNotificationConfiguration',
      'GetPublicAccessBlock',
      'PutBucketLifecycleConfiguration',
      'PutBucketNotificationConfiguration',
      'PutPublicAccessBlock',
    ],
  },
];

/** Events that no operation of a service model is called, and the page that tells of them. */
export const DOCUMENTED: readonly {
  readonly source: string;
  readonly names: readonly string[];
  readonly page: string;
}[] = [
  {
    source: 'signin',
    names: [
      'CheckMfa',
      'ConsoleLogin',
      'EmailUpdated',
      'ExternalIdPDirectoryLogin',
      'GetSigninToken',
      'PasswordRecoveryCompleted',
      'PasswordRecoveryRequested',
      'PasswordUpdated',
      'SwitchRole',
    ],
    page: 'https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aws-console-sign-in-events.html',
  },
  {
    source: 'signin',
    names: ['CredentialChallenge', 'CredentialVerification', 'UserAuthentication'],
    page: 'https://docs.aws.amazon.com/singlesignon/latest/userguide/understanding-sign-in-events.html',
  },
  {
    source: 's3',
    names: [
      'DeleteAccountPublicAccessBlock',
      'DeleteBucketPublicAccessBlock',
      'GetAccountPublicAccessBlock',
      'GetBucketLifecycle',
      'GetBucketNotification',
      'GetBucketPublicAccessBlock',
      'PostObject',
      'PutAccountPublicAccessBlock',
      'PutBucketLifecycle',
      'PutBucketNotification',
      'PutBucketPublicAccessBlock',
    ],
    page: S3,
  },
  {
    // Seen in real records; the page names the operations that they log.
    source: 's3',
    names: [
      'GetAccelerateConfiguration',
      'GetBucketObjectLockConfiguration',
      'GetStorageLensDashboardDataInternal',
      'PreflightRequest',
      'PutAccelerateConfiguration',
      'PutBucketObjectLockConfiguration',
    ],
    page: S3,
  },
  {
    source: 's3-outposts',
    names: ['CreateBucket', 'DeleteBucket', 'DeleteObject', 'DeleteObjects', 'GetObject', 'ListObjects', 'PutObject'],
    page: 'https://docs.aws.amazon.com/AmazonS3/latest/s3-outposts/cloudtrail-logging-s3-outposts-info.html',
  },
  {
    source: 'kms',
    names: ['DeleteKey', 'RotateKey', 'SynchronizeMultiRegionKey'],
    page: 'https://docs.aws.amazon.com/kms/latest/developerguide/understanding-kms-entries.html',
  },
  {
    source: 'secretsmanager',
    names: [
      'CancelSecretVersionDelete',
      'EndSecretVersionDelete',
      'RotationAbandoned',
      'RotationFailed',
      'RotationStarted',
      'RotationSucceeded',
      'StartSecretVersionDelete',
    ],
    page: 'https://docs.aws.amazon.com/secretsmanager/latest/userguide/cloudtrail_log_entries.html',
  },
  {
    source: 'organizations',
    names: ['CreateAccountResult'],
    page: 'https://docs.aws.amazon.com/organizations/latest/userguide/orgs_cloudtrail-integration.html',
  },
  {
    source: 'ec2',
    names: ['SharedSnapshotCopyInitiated', 'SharedSnapshotVolumeCreated'],
    page: 'https://docs.aws.amazon.com/ebs/latest/userguide/ebs-modifying-snapshot-permissions.html',
  },
  {
    // What the browser's own client of an instance sends; the model of the service has but its other half.
    source: 'ec2-instance-connect',
    names: ['OpenTunnel'],
    page: 'https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/log-ec2-instance-connect-endpoint-using-cloudtrail.html',
  },
  {
    // What the agent on an instance says of itself: no operation of the public model.
    source: 'ssm',
    names: [
      'ListInstanceAssociations',
      'RegisterManagedInstance',
      'RequestManagedInstanceRoleToken',
      'UpdateInstanceAssociationStatus',
      'UpdateInstanceInformation',
    ],
    page: 'https://docs.aws.amazon.com/systems-manager/latest/userguide/systems-manager-setting-up-messageAPIs.html',
  },
  {
    source: 'rds',
    names: ['DescribeRecommendationGroups', 'DescribeRecommendations'],
    page: 'https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/logging-using-cloudtrail.html',
  },
  {
    source: 'ecr',
    names: ['PolicyExecutionEvent'],
    page: 'https://docs.aws.amazon.com/AmazonECR/latest/userguide/logging-using-cloudtrail.html',
  },
  {
    source: 'cloudshell',
    names: [
      'CreateEnvironment',
      'CreateSession',
      'DeleteEnvironment',
      'GetEnvironmentStatus',
      'GetFileDownloadUrls',
      'GetFileUploadUrls',
      'PutCredentials',
      'StartEnvironment',
      'StopEnvironment',
    ],
    page: 'https://docs.aws.amazon.com/cloudshell/latest/userguide/logging-and-monitoring.html',
  },
  {
    source: 'bedrock',
    names: ['PutFoundationModelEntitlement'],
    page: 'https://docs.aws.amazon.com/bedrock/latest/userguide/logging-using-cloudtrail.html',
  },
  {
    source: 'sso',
    names: [
      'AssociateDirectory',
      'AssociateProfile',
      'Authenticate',
      'CreateApplicationInstance',
      'CreateApplicationInstanceCertificate',
      'CreateProfile',
      'DeleteApplicationInstance',
      'DeleteApplicationInstanceCertificate',
      'DeletePermissionsPolicy',
      'DeleteProfile',
      'DescribePermissionsPolicies',
      'DisassociateDirectory',
      'DisassociateProfile',
      'Federate',
      'GetApplicationInstance',
      'GetApplicationTemplate',
      'GetMfaDeviceManagementForDirectory',
      'GetPermissionSet',
      'GetSSOStatus',
      'ImportApplicationInstanceServiceProviderMetadata',
      'ListApplicationInstanceCertificates',
      'ListApplicationInstances',
      'ListApplicationTemplates',
      'ListDirectoryAssociations',
      'ListProfileAssociations',
      'ListProfiles',
      'PutMfaDeviceManagementForDirectory',
      'PutPermissionsPolicy',
      'StartSSO',
      'UpdateApplicationInstanceActiveCertificate',
      'UpdateApplicationInstanceDisplayData',
      'UpdateApplicationInstanceResponseConfiguration',
      'UpdateApplicationInstanceResponseSchemaConfiguration',
      'UpdateApplicationInstanceSecurityConfiguration',
      'UpdateApplicationInstanceServiceProviderConfiguration',
      'UpdateApplicationInstanceStatus',
      'UpdateDirectoryAssociation',
      'UpdateProfile',
    ],
    page: 'https://docs.aws.amazon.com/singlesignon/latest/userguide/sso-info-in-cloudtrail.html',
  },
  {
    source: 'sso-directory',
    names: [
      'AddMemberToGroup',
      'CompleteVirtualMfaDeviceRegistration',
      'CompleteWebAuthnDeviceRegistration',
      'CreateAlias',
      'CreateExternalIdPConfigurationForDirectory',
      'CreateGroup',
      'CreateUser',
      'DeleteExternalIdPConfigurationForDirectory',
      'DeleteGroup',
      'DeleteMfaDeviceForUser',
      'DeleteUser',
      'DescribeDirectory',
      'DescribeGroups',
      'DescribeUsers',
      'DisableExternalIdPConfigurationForDirectory',
      'DisableUser',
      'EnableExternalIdPConfigurationForDirectory',
      'EnableUser',
      'GetAWSSPConfigurationForDirectory',
      'ListExternalIdPConfigurationsForDirectory',
      'ListGroupsForUser',
      'ListMembersInGroup',
      'ListMfaDevicesForUser',
      'PutMfaDeviceManagementForDirectory',
      'RemoveMemberFromGroup',
      'SearchGroups',
      'SearchUsers',
      'StartVirtualMfaDeviceRegistration',
      'StartWebAuthnDeviceRegistration',
      'UpdateExternalIdPConfigurationForDirectory',
      'UpdateGroup',
      'UpdateMfaDeviceForUser',
      'UpdatePassword',
      'UpdateUser',
      'VerifyEmail',
    ],
    page: 'https://docs.aws.amazon.com/singlesignon/latest/userguide/sso-info-in-cloudtrail.html',
  },
];
