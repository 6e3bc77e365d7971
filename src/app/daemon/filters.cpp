#include "src/app/daemon/filters.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <list>
#include <variant>

#include "fwpmk.h"
#include "nt/ntstatus.h"
#include "src/app/cli/option_values.hpp"
#include "src/app/daemon/layer_named.hpp"
#include "src/app/drivers/status_text.hpp"
#include "src/app/services/service.hpp"
#include "wfp/engine/engine.hpp"

namespace app {
namespace {

using control::Json;
using control::Reply;
using wfp::model::FieldType;

constexpr std::size_t kMaxConditions = 32;

std::string status_sentence(const char* what, NTSTATUS status) {
  return std::string(what) + " was refused with status " + status_text(status);
}

// A session of ours; its filters stay when it closes, because it is not dynamic.
class Session {
 public:
  Session() { status_ = FwpmEngineOpen0(nullptr, RPC_C_AUTHN_WINNT, nullptr, nullptr, &engine_); }
  ~Session() {
    if (NT_SUCCESS(status_)) FwpmEngineClose0(engine_);
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  NTSTATUS status() const { return status_; }
  HANDLE engine() const { return engine_; }

 private:
  HANDLE engine_ = nullptr;
  NTSTATUS status_;
};

// The values that conditions point to.
struct Storage {
  std::list<UINT64> numbers;
  std::list<FWP_BYTE_ARRAY16> arrays;
  std::list<FWP_V4_ADDR_AND_MASK> v4;
  std::list<FWP_V6_ADDR_AND_MASK> v6;
  std::list<std::u16string> texts;
  std::list<FWP_BYTE_BLOB> blobs;
};

std::string set_address(const std::string& text, bool is_v6, FWP_CONDITION_VALUE0& value, Storage& storage) {
  const auto prefix = stack::IpPrefix::parse(text);
  if (!prefix || prefix->address.is_v4() == is_v6)
    return "'" + text + "' is no IPv" + (is_v6 ? "6" : "4") + " address or network, which this layer's field has";
  const auto length = prefix->length;
  if (!is_v6 && length == 32) {
    value.type = FWP_UINT32;
    value.uint32 = prefix->address.v4_host_order();
  } else if (!is_v6) {
    const UINT32 mask = length == 0 ? 0 : ~UINT32{0} << (32 - length);
    value.type = FWP_V4_ADDR_MASK;
    value.v4AddrMask = &storage.v4.emplace_back(FWP_V4_ADDR_AND_MASK{prefix->address.v4_host_order() & mask, mask});
  } else if (length == 128) {
    auto& array = storage.arrays.emplace_back();
    std::copy_n(reinterpret_cast<const UINT8*>(prefix->address.bytes().data()), 16, array.byteArray16);
    value.type = FWP_BYTE_ARRAY16_TYPE;
    value.byteArray16 = &array;
  } else {
    auto& network = storage.v6.emplace_back();
    std::copy_n(reinterpret_cast<const UINT8*>(prefix->address.bytes().data()), 16, network.addr);
    network.prefixLength = length;
    value.type = FWP_V6_ADDR_MASK;
    value.v6AddrMask = &network;
  }
  return {};
}

std::string set_number(const std::string& text, FWP_DATA_TYPE type, std::uint64_t limit, FWP_CONDITION_VALUE0& value,
                       Storage& storage) {
  const auto number = parse_number(text);
  if (!number || *number > limit) return "'" + text + "' is no number up to " + std::to_string(limit);
  value.type = type;
  switch (type) {
    case FWP_UINT8:
      value.uint8 = static_cast<UINT8>(*number);
      break;
    case FWP_UINT16:
      value.uint16 = static_cast<UINT16>(*number);
      break;
    case FWP_UINT32:
      value.uint32 = static_cast<UINT32>(*number);
      break;
    default:
      value.uint64 = &storage.numbers.emplace_back(*number);
  }
  return {};
}

std::optional<UINT8> protocol_named(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, UINT8>, 4> kProtocols{
      {{"icmp", 1}, {"tcp", 6}, {"udp", 17}, {"icmpv6", 58}}};
  for (const auto& [known, number] : kProtocols)
    if (known == name) return number;
  return std::nullopt;
}

std::string set_protocol(const std::string& text, FWP_CONDITION_VALUE0& value, Storage& storage) {
  const auto named = protocol_named(text);
  auto why = set_number(named ? std::to_string(*named) : text, FWP_UINT8, 0xff, value, storage);
  return why.empty() ? "" : why + ", and none of icmp, tcp, udp, icmpv6";
}

std::string set_value(const wfp::model::Layer& layer, const wfp::model::Field& field, const std::string& text,
                      FWP_CONDITION_VALUE0& value, Storage& storage) {
  switch (field.type) {
    case FieldType::Uint8:
      if (field.name == "IP_PROTOCOL") return set_protocol(text, value, storage);
      return set_number(text, FWP_UINT8, 0xff, value, storage);
    case FieldType::Uint16:
      return set_number(text, FWP_UINT16, 0xffff, value, storage);
    case FieldType::Uint32:
      return set_number(text, FWP_UINT32, 0xffff'ffff, value, storage);
    case FieldType::Uint64:
      return set_number(text, FWP_UINT64, ~std::uint64_t{0}, value, storage);
    case FieldType::Address:
      return set_address(text, layer.family == wfp::model::IpFamily::V6, value, storage);
    case FieldType::Blob: {  // ALE_APP_ID: the path with its terminator
      auto& path = storage.texts.emplace_back(services::nt_path(text));
      auto& blob = storage.blobs.emplace_back();
      blob.size = static_cast<UINT32>((path.size() + 1) * sizeof(char16_t));
      blob.data = reinterpret_cast<UINT8*>(path.data());
      value.type = FWP_BYTE_BLOB_TYPE;
      value.byteBlob = &blob;
      return {};
    }
    default:
      return "conditions on " + std::string(field.name) + " cannot be written on the command line yet";
  }
}

std::string add_condition(const wfp::model::Layer& layer, const std::string& text,
                          std::vector<FWPM_FILTER_CONDITION0>& conditions, Storage& storage) {
  const auto equals = text.find('=');
  if (equals == std::string::npos) return "condition '" + text + "' is not FIELD=VALUE";
  const auto name = text.substr(0, equals);
  const auto& fields = *layer.fields;
  const auto field = std::find_if(fields.begin(), fields.end(), [&](const auto& f) { return f.name == name; });
  if (field == fields.end() || field->condition == nullptr) {
    std::string known;
    for (const auto& other : fields)
      if (other.condition != nullptr) known += (known.empty() ? "" : ", ") + std::string(other.name);
    return "layer " + std::string(layer.name) + " has no field '" + name + "'; it has " + known;
  }
  FWPM_FILTER_CONDITION0 condition{};
  condition.fieldKey = *field->condition;
  condition.matchType = FWP_MATCH_EQUAL;
  auto why = set_value(layer, *field, text.substr(equals + 1), condition.conditionValue, storage);
  if (why.empty()) conditions.push_back(condition);
  return why.empty() ? "" : name + ": " + why;
}

std::optional<FWP_ACTION_TYPE> action_named(const std::string& name) {
  constexpr std::array<std::pair<std::string_view, FWP_ACTION_TYPE>, 5> kActions{
      {{"block", FWP_ACTION_BLOCK},
       {"permit", FWP_ACTION_PERMIT},
       {"callout-terminating", FWP_ACTION_CALLOUT_TERMINATING},
       {"callout-inspection", FWP_ACTION_CALLOUT_INSPECTION},
       {"callout-unknown", FWP_ACTION_CALLOUT_UNKNOWN}}};
  for (const auto& [known, action] : kActions)
    if (known == name) return action;
  return std::nullopt;
}

std::optional<GUID> parse_guid(std::string text) {
  std::erase_if(text, [](char c) { return c == '{' || c == '}'; });
  unsigned a = 0, b = 0, c = 0;
  std::array<unsigned, 8> d{};
  int used = 0;
  if (std::sscanf(text.c_str(), "%8x-%4x-%4x-%2x%2x-%2x%2x%2x%2x%2x%2x%n", &a, &b, &c, &d[0], &d[1], &d[2], &d[3],
                  &d[4], &d[5], &d[6], &d[7], &used) != 11 ||
      static_cast<std::size_t>(used) != text.size())
    return std::nullopt;
  GUID guid{};
  guid.Data1 = a;
  guid.Data2 = static_cast<decltype(guid.Data2)>(b);
  guid.Data3 = static_cast<decltype(guid.Data3)>(c);
  for (std::size_t i = 0; i < d.size(); ++i) guid.Data4[i] = static_cast<UCHAR>(d[i]);
  return guid;
}

std::string text_of(const Json& request, const char* key) {
  const auto found = request.find(key);
  return found != request.end() && found->is_string() ? found->get<std::string>() : "";
}

}  // namespace

Reply add_filter(const Json& request) {
  const auto* layer = layer_named(text_of(request, "layer"));
  if (layer == nullptr)
    return Reply::failure("'" + text_of(request, "layer") +
                          "' is no layer; write for example FWPS_LAYER_INBOUND_TRANSPORT_V4");
  const auto action = action_named(text_of(request, "action"));
  if (!action) return Reply::failure("'" + text_of(request, "action") + "' is no action; write block or permit");

  Storage storage;
  std::vector<FWPM_FILTER_CONDITION0> conditions;
  const auto list = request.find("conditions");
  if (list != request.end() && list->is_array()) {
    if (list->size() > kMaxConditions) return Reply::failure("a filter has at most 32 conditions here");
    for (const auto& text : *list)
      if (auto why = add_condition(*layer, text.is_string() ? text.get<std::string>() : "", conditions, storage);
          !why.empty())
        return Reply::failure(std::move(why));
  }
  const auto name = text_of(request, "name");
  auto display = services::utf16(name.empty() ? "wfptap filter add" : name);
  FWPM_FILTER0 filter{};
  filter.displayData.name = reinterpret_cast<PWSTR>(display.data());
  filter.layerKey = *layer->key;
  filter.subLayerKey = FWPM_SUBLAYER_UNIVERSAL;
  filter.action.type = *action;
  filter.numFilterConditions = static_cast<UINT32>(conditions.size());
  filter.filterCondition = conditions.data();
  if (const auto weight = request.find("weight"); weight != request.end() && weight->is_number_unsigned()) {
    filter.weight.type = FWP_UINT64;
    filter.weight.uint64 = &storage.numbers.emplace_back(weight->get<UINT64>());
  }
  if (const auto callout = text_of(request, "callout"); !callout.empty()) {
    const auto key = parse_guid(callout);
    if (!key) return Reply::failure("'" + callout + "' is no GUID; 'wfptap show callouts' has the keys");
    filter.action.calloutKey = *key;
  }
  const Session session;
  if (!NT_SUCCESS(session.status())) return Reply::failure(status_sentence("opening the engine", session.status()));
  UINT64 id = 0;
  const auto status = FwpmFilterAdd0(session.engine(), &filter, nullptr, &id);
  if (!NT_SUCCESS(status)) return Reply::failure(status_sentence("the filter", status));
  Json result{{"id", id}};
  if (!wfp::engine::Engine::current().is_asked(layer->id))
    result["note"] = "wfptap does not ask " + std::string(layer->name) + " yet, so the filter never matches";
  return Reply::success(std::move(result));
}

Reply delete_filter(std::uint64_t id) {
  const Session session;
  if (!NT_SUCCESS(session.status())) return Reply::failure(status_sentence("opening the engine", session.status()));
  const auto status = FwpmFilterDeleteById0(session.engine(), id);
  if (status == STATUS_FWP_FILTER_NOT_FOUND)
    return Reply::failure("there is no filter " + std::to_string(id) + "; 'wfptap show filters' lists them");
  if (!NT_SUCCESS(status)) return Reply::failure(status_sentence("deleting the filter", status));
  return Reply::success({{"deleted", id}});
}

}  // namespace app
