// FWPS_INCOMING_VALUES0: the classifiable values of a layer, in the documented order of its fields.
//
// One object on the stack holds the array and everything that its values point to, so a classification allocates
// nothing. Addresses and ports are in host byte order. What the documentation leaves open, and what we leave empty,
// is listed in README.md.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "fwpsk.h"
#include "src/shim/facts.hpp"
#include "src/shim/interfaces.hpp"
#include "src/shim/layer_fields.hpp"

namespace shim {

class Values {
 public:
  Values(LayerPair pair, const Facts& facts, const Interfaces& interfaces);
  Values(const Values&) = delete;
  Values& operator=(const Values&) = delete;

  const FWPS_INCOMING_VALUES0& get() const { return values_; }
  // The same values are shown at the discard twin when a packet is given up.
  void set_layer(std::uint16_t layer) { values_.layerId = layer; }

 private:
  friend class FieldWriter;

  FWPS_INCOMING_VALUES0 values_{};
  std::array<FWPS_INCOMING_VALUE0, kMaxFields> array_;  // the first valueCount are written
  FWP_BYTE_ARRAY16 local_address_{};
  FWP_BYTE_ARRAY16 remote_address_{};
  UINT64 local_interface_ = 0;
  UINT64 interface_ = 0;
  UINT64 zero_ = 0;
  FWP_BYTE_BLOB app_id_{};
  alignas(4) std::array<std::uint8_t, 8 + 4 * 15> package_sid_{};  // the largest SID
};

}  // namespace shim
