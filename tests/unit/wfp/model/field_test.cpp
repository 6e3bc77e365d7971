// Every field of every layer against the documented tables: position, name, type on classify and condition key.
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "fwpm/conditions.h"
#include "fwpsk.h"
#include "wfp/model/layer.hpp"

namespace wfp::model {
namespace {

struct DocumentedField {
  std::string name, type, key;
};
using DocumentedLayers = std::map<std::string, std::vector<DocumentedField>, std::less<>>;

// tests/tables/layer_fields.csv: layer, index, field, type, key. No cell has a comma.
DocumentedLayers documented_layers() {
  DocumentedLayers layers;
  std::ifstream file(WFPTAP_TABLES "/layer_fields.csv");
  for (std::string line; std::getline(file, line);) {
    std::istringstream cells(line);
    std::string layer, index;
    DocumentedField field;
    for (std::string* cell : {&layer, &index, &field.name, &field.type, &field.key}) std::getline(cells, *cell, ',');
    if (line.starts_with('#') || layer == "layer") continue;
    EXPECT_EQ(index, std::to_string(layers[layer].size())) << line;
    layers[layer].push_back(field);
  }
  return layers;
}

// Where nobody documents a type, a classify shows FWP_EMPTY.
FWP_DATA_TYPE documented_type(const std::string& type) {
  static const std::map<std::string, FWP_DATA_TYPE> types{
      {"FWP_UINT8", FWP_UINT8},
      {"FWP_UINT16", FWP_UINT16},
      {"FWP_UINT32", FWP_UINT32},
      {"FWP_UINT64", FWP_UINT64},
      {"FWP_BYTE_ARRAY16_TYPE", FWP_BYTE_ARRAY16_TYPE},
      {"FWP_BYTE_ARRAY6_TYPE", FWP_BYTE_ARRAY6_TYPE},
      {"FWP_BYTE_BLOB_TYPE", FWP_BYTE_BLOB_TYPE},
      {"FWP_SID", FWP_SID},
      {"FWP_TOKEN_ACCESS_INFORMATION_TYPE", FWP_TOKEN_ACCESS_INFORMATION_TYPE},
      {"unknown", FWP_EMPTY}};
  return types.at(type);
}

std::string text_of(const GUID& guid) {
  char text[37];
  const auto* b = guid.Data4;
  std::snprintf(text, sizeof text, "%08x-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x", guid.Data1, guid.Data2,
                guid.Data3, b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]);
  return text;
}

void expect_documented(const Layer& layer, const std::vector<DocumentedField>& documented) {
  ASSERT_EQ(layer.fields->size(), documented.size()) << layer.name;
  for (std::size_t i = 0; i < documented.size(); ++i) {
    const Field& field = (*layer.fields)[i];
    EXPECT_EQ(field.name, documented[i].name) << layer.name << " " << i;
    EXPECT_EQ(data_type(field.type, layer.family), documented_type(documented[i].type))
        << layer.name << " " << field.name;
    EXPECT_EQ(text_of(*field.condition), documented[i].key) << layer.name << " " << field.name;
  }
}

TEST(Fields, AreTheDocumentedOnesAtEveryLayer) {
  const DocumentedLayers documented = documented_layers();
  std::size_t layers_with_fields = 0;
  for (const Layer& layer : layers()) {
    if (layer.fields->empty() || layer.is_discard) continue;
    ++layers_with_fields;
    const auto fields = documented.find(layer.name);
    ASSERT_NE(fields, documented.end()) << layer.name;
    expect_documented(layer, fields->second);
  }
  EXPECT_EQ(documented.size(), layers_with_fields);
}

TEST(Fields, DiscardLayersHaveTheFieldsOfTheirLayer) {
  for (const Layer& layer : layers()) {
    if (!layer.is_discard) continue;
    const Layer* twin = find_layer(static_cast<std::uint16_t>(layer.id - 1));  // the number before, as documented
    EXPECT_EQ(std::string(twin->name) + "_DISCARD", layer.name);
    EXPECT_EQ(twin->fields, layer.fields);
  }
}

TEST(Fields, AreFoundByConditionAndTypedByFamily) {
  const Layer& v4 = *find_layer(FWPS_LAYER_INBOUND_TRANSPORT_V4);
  EXPECT_EQ(find_field(*v4.fields, FWPM_CONDITION_IP_REMOTE_PORT), FWPS_FIELD_INBOUND_TRANSPORT_V4_IP_REMOTE_PORT);
  EXPECT_EQ(find_field(*v4.fields, FWPM_CONDITION_ALE_APP_ID), kNoField);
  EXPECT_EQ(data_type(FieldType::Address, IpFamily::V4), FWP_UINT32);
  EXPECT_EQ(data_type(FieldType::Address, IpFamily::V6), FWP_BYTE_ARRAY16_TYPE);
}

}  // namespace
}  // namespace wfp::model
