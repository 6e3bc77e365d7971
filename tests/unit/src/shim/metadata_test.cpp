#include "src/shim/metadata.hpp"

#include <gtest/gtest.h>

#include <cstring>

#include "contexts.hpp"

namespace shim {
namespace {

using stack::Family;
using stack::Hook;
using test::context;

// The metadata of a classification must equal `expected` bit for bit: what is not flagged is zero.
void expect_equal(const Metadata& metadata, const FWPS_INCOMING_METADATA_VALUES0& expected) {
  const auto& shown = metadata.get();
  EXPECT_EQ(shown.currentMetadataValues, expected.currentMetadataValues) << std::hex << shown.currentMetadataValues;
  EXPECT_EQ(std::memcmp(&shown, &expected, sizeof(expected)), 0);
}

FWPS_INCOMING_METADATA_VALUES0 zero() {
  FWPS_INCOMING_METADATA_VALUES0 values;
  std::memset(&values, 0, sizeof(values));
  return values;
}

FWPS_INCOMING_METADATA_VALUES0 outbound_without_endpoint() {
  auto expected = zero();
  expected.currentMetadataValues = 0x8cc0;
  expected.flags = 1;
  expected.reserved = kOpaqueReserved;
  expected.transportHeaderSize = 0x14;
  expected.compartmentId = 1;
  return expected;
}

// --- the three awkward packets, from crash dumps ---

TEST(Metadata, ResetThatNoConnectionSent) {
  auto c = context(Hook::TransportOut);
  c.origin = stack::Origin::TcpReset;
  c.endpoint.match = stack::EndpointMatch::None;
  expect_equal(Metadata::outbound_transport(c, {}), outbound_without_endpoint());
}

TEST(Metadata, AckOfTheFinAfterTheEndpointIsGone) {
  auto c = context(Hook::TransportOut);
  c.origin = stack::Origin::TcpTimeWait;
  c.endpoint.match = stack::EndpointMatch::TimeWait;
  c.endpoint.flow = 0x55;  // must not be shown: there is no endpoint behind it
  expect_equal(Metadata::outbound_transport(c, {}), outbound_without_endpoint());
}

TEST(Metadata, SegmentReceivedInTimeWait) {
  auto c = context(Hook::TransportIn);
  c.endpoint.match = stack::EndpointMatch::TimeWait;
  c.endpoint.flow = 0x55;
  auto expected = zero();
  expected.currentMetadataValues = 0xc84;
  expected.reserved = kOpaqueReserved;
  expected.ipHeaderSize = 0x14;
  expected.transportHeaderSize = 0x14;
  expected.compartmentId = 1;
  expect_equal(Metadata::inbound_transport(c), expected);
}

TEST(Metadata, SizesAreTheSegmentsOwn) {
  auto c = context(Hook::TransportIn, Family::V6);
  c.transport_header_size = 32;
  const Metadata metadata = Metadata::inbound_transport(c);
  EXPECT_EQ(metadata.get().ipHeaderSize, 40u);
  EXPECT_EQ(metadata.get().transportHeaderSize, 32u);
}

TEST(Metadata, CorrectedGivesTheControlEndpoint) {
  const auto control = stack::EndpointId::make(0, 1, 1);
  auto expected = outbound_without_endpoint();
  expected.transportEndpointHandle = control.value;
  expect_equal(Metadata::outbound_transport(context(Hook::TransportOut), control), expected);
}

// --- ordinary segments ---

TEST(Metadata, DataOfAFlow) {
  const auto owner = test::http_owner();
  auto out = context(Hook::TransportOut);
  out.endpoint = test::live(owner);
  const auto control = stack::EndpointId::make(0, 1, 1);
  auto expected = outbound_without_endpoint();
  expected.currentMetadataValues = 0x8cc2;
  expected.flowHandle = 0x55;
  expected.transportEndpointHandle = out.endpoint.endpoint.value;
  expect_equal(Metadata::outbound_transport(out, control), expected);

  auto in = context(Hook::TransportIn);
  in.endpoint = test::live(owner);
  EXPECT_EQ(Metadata::inbound_transport(in).get().currentMetadataValues, 0x8c86u);
}

TEST(Metadata, InboundSynHasAnEndpointNoFlowAndNeedsAuthorization) {
  const auto owner = test::http_owner();
  auto c = context(Hook::TransportIn);
  c.endpoint = test::live(owner);
  c.endpoint.flow = 0;
  c.needs_authorization = true;
  EXPECT_EQ(Metadata::inbound_transport(c).get().currentMetadataValues, 0x408c84u);
}

TEST(Metadata, EchoCarriesItsIdentifier) {
  auto c = context(Hook::TransportIn);
  c.protocol = test::kIcmp;
  c.has_icmp_id = true;
  c.icmp_id_and_sequence = 0x12340001;
  const Metadata metadata = Metadata::inbound_transport(c);
  EXPECT_EQ(metadata.get().currentMetadataValues, 0x08000c84u);
  EXPECT_EQ(metadata.get().icmpIdAndSequence, 0x12340001u);
}

TEST(Metadata, LinkLocalRemoteHasAScope) {
  auto c = context(Hook::TransportOut, Family::V6);
  c.remote = *stack::IpAddress::parse("fe80::1");
  const Metadata metadata = Metadata::outbound_transport(c, {});
  EXPECT_EQ(metadata.get().currentMetadataValues, 0x28cc0u);
  EXPECT_EQ(metadata.get().remoteScopeId.Value, 2u);
}

// --- IP layers ---

TEST(Metadata, IpLayers) {
  auto in = context(Hook::IpIn);
  EXPECT_EQ(Metadata::inbound_ip(in).get().currentMetadataValues, 0x804u);
  auto out = context(Hook::IpOut);
  EXPECT_EQ(Metadata::outbound_ip(out).get().currentMetadataValues, 0xc04u);
  out.path_mtu = 1400;
  EXPECT_EQ(Metadata::outbound_ip(out).get().currentMetadataValues, 0x2c04u);
  EXPECT_EQ(Metadata::outbound_ip(out).get().pathMtu, 1400u);
}

TEST(Metadata, FragmentsTellWhichPartTheyAre) {
  auto c = context(Hook::IpIn);
  c.is_fragment = true;
  c.fragment = {.id = 0xbeef, .offset = 1480, .length = 512, .more = false};
  const Metadata metadata = Metadata::inbound_ip(c);
  EXPECT_EQ(metadata.get().currentMetadataValues, 0x1804u);
  EXPECT_EQ(metadata.get().fragmentMetadata.fragmentIdentification, 0xbeefu);
  EXPECT_EQ(metadata.get().fragmentMetadata.fragmentOffset, 1480);
  EXPECT_EQ(metadata.get().fragmentMetadata.fragmentLength, 512u);
}

// --- ALE ---

constexpr std::uint32_t kOwnerFlags = 0x38;  // process path, token, process id

TEST(Metadata, BindAndListen) {
  const auto owner = test::http_owner();
  int completion = 0;
  const Metadata metadata = Metadata::resource(test::operation(owner, stack::Direction::Inbound), &completion);
  EXPECT_EQ(metadata.get().currentMetadataValues, kOwnerFlags | 0xc000u);
  EXPECT_EQ(metadata.get().completionHandle, &completion);
  EXPECT_EQ(metadata.get().processId, 4711u);
  EXPECT_EQ(metadata.get().token, 0x1234u);
  EXPECT_EQ(metadata.get().transportEndpointHandle, stack::EndpointId::make(0, 7, 3).value);
}

TEST(Metadata, CopiesPointToTheirOwnPath) {
  const auto owner = test::http_owner();
  const Metadata metadata = Metadata::resource(test::operation(owner, stack::Direction::Inbound), nullptr);
  const Metadata copy(metadata);
  EXPECT_NE(copy.get().processPath, metadata.get().processPath);
  EXPECT_EQ(copy.get().processPath->data, metadata.get().processPath->data);
}

TEST(Metadata, FirstAcceptMayBePended) {
  const auto owner = test::http_owner();
  int completion = 0;
  auto operation = test::operation(owner, stack::Direction::Inbound);
  const Metadata metadata = Metadata::accept(operation, {.flow = 0x77, .completion = &completion});
  EXPECT_EQ(metadata.get().currentMetadataValues, kOwnerFlags | 0x2u | 0x4u | 0x400u | 0x800u | 0x4000u | 0x8000u);
  EXPECT_EQ(metadata.get().ipHeaderSize, 20u);
  operation.endpoint.parent = stack::EndpointId::make(0, 1, 9);
  EXPECT_NE(Metadata::accept(operation, {}).get().currentMetadataValues & 0x4000000u, 0u);
}

TEST(Metadata, ReauthorizationSaysThePacketsDirection) {
  const auto owner = test::http_owner();
  const auto operation = test::operation(owner, stack::Direction::Outbound);
  const Metadata metadata = Metadata::accept(operation, {.flow = 0x77, .reauthorization = true});
  // No completion handle: a reauthorization cannot be pended. No IP header yet on an outbound packet.
  EXPECT_EQ(metadata.get().currentMetadataValues, kOwnerFlags | 0x2u | 0x400u | 0x800u | 0x8000u | 0x40000u);
  EXPECT_EQ(metadata.get().packetDirection, FWP_DIRECTION_OUTBOUND);
}

TEST(Metadata, ConnectOfTcpHasNoHeader) {
  const auto owner = test::http_owner();
  int completion = 0;
  auto operation = test::operation(owner, stack::Direction::Outbound);
  operation.transport_header_size = 0;
  EXPECT_EQ(Metadata::connect(operation, {.flow = 1, .completion = &completion}).get().currentMetadataValues,
            kOwnerFlags | 0x2u | 0x800u | 0x4000u | 0x8000u);
}

TEST(Metadata, Established) {
  const auto owner = test::http_owner();
  EXPECT_EQ(Metadata::established(test::operation(owner, stack::Direction::Inbound), 5).get().currentMetadataValues,
            kOwnerFlags | 0x2u | 0x8000u);
}

TEST(Metadata, DiscardNamesModuleReasonAndFilter) {
  Metadata metadata = Metadata::inbound_transport(context(Hook::TransportIn));
  metadata.set_discard(FWPS_DISCARD_MODULE_TRANSPORT, InetDiscardEndpointNotFound, 0);
  EXPECT_EQ(metadata.get().currentMetadataValues, 0xc85u);
  EXPECT_EQ(metadata.get().discardMetadata.discardModule, FWPS_DISCARD_MODULE_TRANSPORT);
  EXPECT_EQ(metadata.get().discardMetadata.discardReason, 4u);
}

}  // namespace
}  // namespace shim
