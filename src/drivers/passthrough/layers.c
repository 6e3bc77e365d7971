/* The layers that the driver registers for, and at which index each one has its values. The indexes differ from layer
 * to layer; a table keeps that knowledge in one place and the classify functions free of it. */
#include "passthrough.h"

#define PT_KEY(name, last) \
  static const GUID name = {0x4d9c2f10, 0x6b0e, 0x4c53, {0x9a, 0x21, 0x57, 0x46, 0x50, 0x54, 0x48, last}}

PT_KEY(PtKeyOutbound4, 0x01);
PT_KEY(PtKeyOutbound6, 0x02);
PT_KEY(PtKeyInbound4, 0x03);
PT_KEY(PtKeyInbound6, 0x04);
PT_KEY(PtKeyAccept4, 0x05);
PT_KEY(PtKeyAccept6, 0x06);
PT_KEY(PtKeyConnect4, 0x07);
PT_KEY(PtKeyConnect6, 0x08);
const GUID PtSubLayerKey = {0x4d9c2f10, 0x6b0e, 0x4c53, {0x9a, 0x21, 0x57, 0x46, 0x50, 0x54, 0x48, 0x00}};

#define PT_LAYER_ROW(kind, family, layer, key)                                                                     \
  {                                                                                                                \
    kind, family, FWPS_LAYER_##layer, &FWPM_LAYER_##layer, key, FWPS_FIELD_##layer##_IP_PROTOCOL,                  \
        FWPS_FIELD_##layer##_IP_LOCAL_ADDRESS, FWPS_FIELD_##layer##_IP_REMOTE_ADDRESS,                             \
        FWPS_FIELD_##layer##_INTERFACE_INDEX, FWPS_FIELD_##layer##_SUB_INTERFACE_INDEX, FWPS_FIELD_##layer##_FLAGS \
  }

const PT_LAYER PtLayers[PT_LAYER_COUNT] = {
    PT_LAYER_ROW(PtOutbound, PtV4, OUTBOUND_TRANSPORT_V4, &PtKeyOutbound4),
    PT_LAYER_ROW(PtOutbound, PtV6, OUTBOUND_TRANSPORT_V6, &PtKeyOutbound6),
    PT_LAYER_ROW(PtInbound, PtV4, INBOUND_TRANSPORT_V4, &PtKeyInbound4),
    PT_LAYER_ROW(PtInbound, PtV6, INBOUND_TRANSPORT_V6, &PtKeyInbound6),
    PT_LAYER_ROW(PtAccept, PtV4, ALE_AUTH_RECV_ACCEPT_V4, &PtKeyAccept4),
    PT_LAYER_ROW(PtAccept, PtV6, ALE_AUTH_RECV_ACCEPT_V6, &PtKeyAccept6),
    PT_LAYER_ROW(PtConnect, PtV4, ALE_AUTH_CONNECT_V4, &PtKeyConnect4),
    PT_LAYER_ROW(PtConnect, PtV6, ALE_AUTH_CONNECT_V6, &PtKeyConnect6),
};

const PT_LAYER* PtFindLayer(UINT16 LayerId) {
  for (ULONG i = 0; i < PT_LAYER_COUNT; ++i)
    if (PtLayers[i].LayerId == LayerId) return &PtLayers[i];
  return NULL;
}
