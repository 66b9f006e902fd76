// Names of AWS: partitions, regions, roles.
//
// A partition is an AWS of its own: accounts, keys and roles of one are unknown in the others
// ("Amazon Resource Names" in the AWS General Reference).
#pragma once

#include <string>
#include <string_view>

namespace ferry {

// "aws-cn" for cn-*, "aws-us-gov" for us-gov-*, else "aws".
std::string_view PartitionOfRegion(std::string_view region);

// "aws-cn" of "arn:aws-cn:iam::..."; empty where it is no ARN.
std::string_view PartitionOfArn(std::string_view arn);

// The region in an ARN, which may be empty.
std::string_view RegionOfArn(std::string_view arn);

// arn:PARTITION:iam::ACCOUNT:role/[PATH/]NAME, of a known partition. The account is twelve digits;
// Ceph's STS has none, or RGW and digits.
bool IsRoleArn(std::string_view text);

// Lower-case letters, digits and dashes: what may stand in a host name. At most 40 bytes.
bool IsAwsRegion(std::string_view text);

// ".amazonaws.com.cn" for cn-*, else ".amazonaws.com".
std::string_view AwsDomainOf(std::string_view region);

// Why a role cannot be assumed for a store in `region`; empty: it is of the same partition.
std::string OtherPartition(std::string_view role_arn, std::string_view region);

}  // namespace ferry
