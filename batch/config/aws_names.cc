#include "batch/config/aws_names.h"

#include <algorithm>
#include <array>

namespace ferry {
namespace {

constexpr std::size_t kRegionBytesMax = 40;
constexpr std::size_t kRoleArnBytesMax = 2048;  // STS API reference, AssumeRole, RoleArn
constexpr std::size_t kAccountDigits = 12;
constexpr std::array<std::string_view, 3> kPartitions = {"aws", "aws-cn", "aws-us-gov"};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }

// The text between the colons `index` and `index` + 1 of an ARN; of the last one, all the rest.
std::string_view FieldOf(std::string_view arn, int index) {
  if (!arn.starts_with("arn:")) return {};
  for (int i = 0; i < index; ++i) {
    const std::size_t colon = arn.find(':');
    if (colon == std::string_view::npos) return {};
    arn.remove_prefix(colon + 1);
  }
  return index < 5 ? arn.substr(0, arn.find(':')) : arn;
}

bool IsAccount(std::string_view text) {
  if (text.empty()) return true;
  if (text.starts_with("RGW")) {
    text.remove_prefix(3);
  } else if (text.size() != kAccountDigits) {
    return false;
  }
  return std::all_of(text.begin(), text.end(), IsDigit);
}

// Of a role's path and name (IAM API reference, CreateRole).
bool IsOfRoleName(char c) {
  return IsDigit(c) || IsLower(c) || IsUpper(c) ||
         std::string_view("_+=,.@-/").find(c) != std::string_view::npos;
}

}  // namespace

std::string_view PartitionOfRegion(std::string_view region) {
  if (region.starts_with("cn-")) return "aws-cn";
  return region.starts_with("us-gov-") ? "aws-us-gov" : "aws";
}

std::string_view PartitionOfArn(std::string_view arn) { return FieldOf(arn, 1); }

std::string_view RegionOfArn(std::string_view arn) { return FieldOf(arn, 3); }

bool IsRoleArn(std::string_view text) {
  constexpr std::string_view kRole = "role/";
  if (text.size() > kRoleArnBytesMax) return false;
  const std::string_view partition = PartitionOfArn(text);
  std::string_view name = FieldOf(text, 5);
  if (std::find(kPartitions.begin(), kPartitions.end(), partition) == kPartitions.end() ||
      FieldOf(text, 2) != "iam" || !RegionOfArn(text).empty() || !IsAccount(FieldOf(text, 4)) ||
      !name.starts_with(kRole)) {
    return false;
  }
  name.remove_prefix(kRole.size());
  return !name.empty() && name.front() != '/' && name.back() != '/' &&
         std::all_of(name.begin(), name.end(), IsOfRoleName);
}

bool IsAwsRegion(std::string_view text) {
  return !text.empty() && text.size() <= kRegionBytesMax &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return IsLower(c) || IsDigit(c) || c == '-'; });
}

std::string_view AwsDomainOf(std::string_view region) {
  return PartitionOfRegion(region) == "aws-cn" ? ".amazonaws.com.cn" : ".amazonaws.com";
}

std::string OtherPartition(std::string_view role_arn, std::string_view region) {
  const std::string_view of_role = PartitionOfArn(role_arn);
  const std::string_view of_region = PartitionOfRegion(region);
  if (of_role == of_region) return {};
  std::string why = "is a role of partition ";
  why.append(of_role).append(", and the region is of ").append(of_region);
  return why + ": keys of one are unknown in the other";
}

}  // namespace ferry
